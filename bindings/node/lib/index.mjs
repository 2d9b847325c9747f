export {
  PersistentClient,
  EphemeralClient,
  IncludeEnum,
  ChromaError,
  ChromaNotFoundError,
  ChromaUniqueError,
  ChromaValueError,
  InvalidArgumentError,
} from './index.js';
