// Filters and configurations, as JSON for the engine, which says what they mean.
//
// JSON.stringify() would throw on a bigint, and drop or change without a word what JSON cannot say:
// undefined, NaN, dates, halves of surrogate pairs.
'use strict';

const { ChromaValueError, typeError } = require('./errors');
const { kindOf } = require('./options');

// The engine's own limit, in levels. Met by objects that contain themselves, too.
const DEPTH_MAX = 256;

// With the flag u, a whole pair is one character and no surrogate.
const HALF_OF_A_PAIR = /\p{Surrogate}/u;

/** A filter as JSON; undefined if there is none. */
function toFilter(name, filter) {
  if (filter === undefined || filter === null) return undefined;
  const text = toJSON(name, filter);
  if (text === '{}') {
    throw new ChromaValueError(`Expected ${quoted(name)} to be a non-empty object`);
  }
  return text;
}

/** A plain object as JSON. */
function toJSON(name, value) {
  if (!isPlainObject(value)) {
    throw new ChromaValueError(
      `Expected ${quoted(name)} to be a non-empty object, but got ${kindOf(value)}`,
    );
  }
  return write(name, value, 0);
}

function write(name, value, depth) {
  if (depth > DEPTH_MAX) {
    throw new ChromaValueError(`Expected '${name}' to have at most ${DEPTH_MAX} levels`);
  }
  switch (typeof value) {
    case 'boolean':
      return String(value);
    case 'bigint':
      return writeBigInt(name, value);
    case 'number':
      return writeNumber(name, value);
    case 'string':
      return writeString(name, value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) {
        const items = Array.from(value, (item) => write(name, item, depth + 1));
        return `[${items.join(',')}]`;
      }
      if (isPlainObject(value)) {
        const members = Object.keys(value).map(
          (key) => `${writeString(name, key)}:${write(name, value[key], depth + 1)}`,
        );
        return `{${members.join(',')}}`;
      }
  }
  throw typeError(
    `Expected '${name}' to hold plain objects, arrays, strings, numbers, bigints and booleans, ` +
      `but got ${kindOf(value)}`,
  );
}

// Integers that are not safe are floats, as they are in metadata.
function writeNumber(name, value) {
  if (!Number.isFinite(value)) {
    throw new ChromaValueError(`Expected the numbers in '${name}' to be finite, but got ${value}`);
  }
  const text = String(value);
  const looksLikeInt = /^-?\d+$/.test(text);
  return looksLikeInt && !Number.isSafeInteger(value) ? `${text}.0` : text;
}

// The engine would round what has more bits.
function writeBigInt(name, value) {
  if (BigInt.asIntN(64, value) === value) return String(value);
  throw new ChromaValueError(`Expected the bigints in '${name}' to fit in 64 bits`);
}

function writeString(name, value) {
  if (HALF_OF_A_PAIR.test(value)) {
    throw new ChromaValueError(
      `Expected the strings in '${name}' to be well-formed UTF-16, ` +
        'but one has half a surrogate pair',
    );
  }
  return JSON.stringify(value);
}

function isPlainObject(value) {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  // The second: an Object.prototype, which may be another realm's.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

// The official client has quotes around the one and not around the other.
function quoted(name) {
  return name === 'where' ? name : `'${name}'`;
}

module.exports = { toFilter, toJSON };
