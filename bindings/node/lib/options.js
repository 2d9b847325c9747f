// Checks of the objects of options that every method takes. Wording is the official client's where
// it has one.
'use strict';

const { ChromaValueError, typeError } = require('./errors');
const { IncludeEnum, includeFlags } = require('./results');

// Wrong ids after which the search for more ends; a message shows ten.
const WRONG_ID_COUNT_MAX = 100;
// Characters of a text of the caller's that a message shows.
const SHOWN_LENGTH_MAX = 100;
const CONFLICT_POLICIES = ['ignore', 'error', 'replace'];

/** Every option's value, undefined for those not given. A misspelt one is an error. */
function takeOptions(method, given, names) {
  if (given === null || typeof given !== 'object' || Array.isArray(given)) {
    throw typeError(`${method}() takes an object of options, but got ${kindOf(given)}`);
  }
  for (const name of Object.keys(given)) {
    if (!names.includes(name)) {
      throw typeError(
        `${method}() has no option '${shown(name)}'; its options are ${names.join(', ')}`,
      );
    }
  }
  return given;
}

function requireString(name, value) {
  if (typeof value === 'string') return value;
  throw typeError(`Expected '${name}' to be a string, but got ${kindOf(value)}`);
}

/** A limit or offset: a non-negative integer, or undefined. */
function checkCount(name, value) {
  if (value === undefined || (Number.isSafeInteger(value) && value >= 0)) return value;
  throw new ChromaValueError(`${name} must be a non-negative integer`);
}

/** true, false or undefined. */
function checkFlag(name, value) {
  if (value === undefined || typeof value === 'boolean') return value;
  throw typeError(`Expected '${name}' to be a boolean, but got ${kindOf(value)}`);
}

function checkResultCount(value) {
  if (typeof value !== 'number') {
    throw new ChromaValueError(`Expected 'nResults' to be a number, but got ${kindOf(value)}`);
  }
  if (value < 0) throw new ChromaValueError('Number of requested results has to positive');
  return checkCount('nResults', value);
}

/** A bound on distances: a number, or undefined. */
function checkMaxDistance(value) {
  if (value === undefined || (typeof value === 'number' && !Number.isNaN(value))) return value;
  throw new ChromaValueError(
    `Expected 'maxDistance' to be a number, but got ${Number.isNaN(value) ? 'NaN' : kindOf(value)}`,
  );
}

function checkConflictPolicy(value) {
  if (value === undefined || CONFLICT_POLICIES.includes(value)) return;
  throw new ChromaValueError(
    `Expected 'onConflict' to be one of ${CONFLICT_POLICIES.join(', ')}, but got ` +
      (typeof value === 'string' ? `'${shown(value)}'` : kindOf(value)),
  );
}

function checkIds(ids) {
  if (!Array.isArray(ids)) {
    throw new ChromaValueError(`Expected 'ids' to be an array, but got ${kindOf(ids)}`);
  }
  if (ids.length === 0) throw new ChromaValueError("Expected 'ids' to be a non-empty list");
  const seen = new Set();
  const duplicates = new Set();
  const wrong = [];
  // By index: holes are wrong too. Not all of them are counted: an array may be nothing but holes.
  for (let index = 0; index < ids.length && wrong.length < WRONG_ID_COUNT_MAX; index++) {
    const id = ids[index];
    if (typeof id !== 'string') wrong.push(index);
    if (seen.has(id)) duplicates.add(id);
    seen.add(id);
  }
  if (wrong.length > 0) throw new ChromaValueError(`Found non-string IDs at ${listed(wrong)}`);
  if (duplicates.size > 0) {
    throw new ChromaValueError(
      `Expected IDs to be unique, but found duplicates of ${listed([...duplicates])}`,
    );
  }
  return ids;
}

/** The flags of a list of what to include. */
function checkInclude(include, forbidden) {
  if (!Array.isArray(include)) {
    throw new ChromaValueError("Expected 'include' to be a non-empty array");
  }
  let flags = 0;
  for (const item of include) {
    if (typeof item !== 'string') {
      throw new ChromaValueError("Expected 'include' items to be strings");
    }
    if (!Object.hasOwn(IncludeEnum, item)) {
      throw new ChromaValueError(
        `Expected 'include' items to be one of ${Object.keys(IncludeEnum).join(', ')}, ` +
          `but got ${shown(item)}`,
      );
    }
    if (item === forbidden) {
      throw new ChromaValueError(`${item} is not allowed for this operation`);
    }
    flags |= includeFlags[item];
  }
  return flags;
}

/** The first five and the last five of many. */
function listed(items) {
  const some = items.length <= 10 ? items : [...items.slice(0, 5), '...', ...items.slice(-5)];
  return some.map((item) => shown(String(item))).join(', ');
}

function shown(text) {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX)}…`;
}

/** What a value is, for messages. */
function kindOf(value) {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

module.exports = {
  takeOptions,
  requireString,
  checkCount,
  checkFlag,
  checkResultCount,
  checkMaxDistance,
  checkConflictPolicy,
  checkIds,
  checkInclude,
  kindOf,
};
