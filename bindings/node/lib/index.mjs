export {
  PersistentClient,
  EphemeralClient,
  restore,
  verify,
  repair,
  IncludeEnum,
  ChromaError,
  ChromaNotFoundError,
  ChromaUniqueError,
  ChromaValueError,
  InvalidArgumentError,
} from './index.js';
