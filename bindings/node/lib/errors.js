// The classes of errors. Names are those of the official client where it has them; every error
// carries as its `code` the name of a status of chroma.h.
'use strict';

/** What can go wrong, beside arguments of a wrong type. */
class ChromaError extends Error {
  constructor(name, message, cause) {
    super(message, cause === undefined ? undefined : { cause });
    // As Error does it: not enumerable, so that printed errors show it once.
    Object.defineProperty(this, 'name', { value: name, configurable: true, writable: true });
    this.code = 'CHROMA_ERROR_UNKNOWN';
  }
}

/** There is no such tenant, database or collection. */
class ChromaNotFoundError extends ChromaError {
  constructor(message, cause) {
    super('ChromaNotFoundError', message, cause);
    this.code = 'CHROMA_ERROR_NOT_FOUND';
  }
}

/** A collection has the name, or a record one of the ids. */
class ChromaUniqueError extends ChromaError {
  constructor(message, cause) {
    super('ChromaUniqueError', message, cause);
    this.code = 'CHROMA_ERROR_ALREADY_EXISTS';
  }
}

/** An argument that this package refused. */
class ChromaValueError extends ChromaError {
  constructor(message, cause) {
    super('ChromaValueError', message, cause);
    this.code = 'CHROMA_ERROR_INVALID_ARGUMENT';
  }
}

/** An argument that the engine refused. */
class InvalidArgumentError extends ChromaError {
  constructor(message, cause) {
    super('InvalidArgumentError', message, cause);
    this.code = 'CHROMA_ERROR_INVALID_ARGUMENT';
  }
}

const classes = new Map([
  ['CHROMA_ERROR_NOT_FOUND', ChromaNotFoundError],
  ['CHROMA_ERROR_ALREADY_EXISTS', ChromaUniqueError],
  ['CHROMA_ERROR_INVALID_ARGUMENT', InvalidArgumentError],
]);

/** An error of the engine, by the name of its status. */
function errorOf(code, message) {
  const known = classes.get(code);
  if (known !== undefined) return new known(message);
  const error = new ChromaError('ChromaError', message);
  error.code = code;
  return error;
}

/** A TypeError with the code that Node gives its own. */
function typeError(message) {
  return Object.assign(new TypeError(message), { code: 'ERR_INVALID_ARG_TYPE' });
}

module.exports = {
  ChromaError,
  ChromaNotFoundError,
  ChromaUniqueError,
  ChromaValueError,
  InvalidArgumentError,
  errorOf,
  typeError,
};
