// What is done to directories as a whole: restore, verify, repair.
'use strict';

const path = require('node:path');

const { callAddon } = require('./connection');
const { typeError } = require('./errors');
const options = require('./options');

/** Copies a backup into a new or empty directory, checking every byte. */
async function restore(given) {
  const { source, target, signal } = options.takeOptions('restore', given, [
    'source', 'target', 'signal',
  ]);
  const directories = [resolved('source', source), resolved('target', target)];
  return callAddon('restore', signal, undefined, directories);
}

/** Everything that is damaged in a directory. Changes nothing. */
async function verify(given) {
  const { path: directory, signal } = options.takeOptions('verify', given, ['path', 'signal']);
  return callAddon('verify', signal, undefined, [resolved('path', directory)]);
}

/** Rebuilds what can be rebuilt of a directory, and says what is lost. */
async function repair(given) {
  const { path: directory, signal } = options.takeOptions('repair', given, ['path', 'signal']);
  return callAddon('repair', signal, undefined, [resolved('path', directory)]);
}

/** A path that does not depend on the working directory, which may change. */
function resolved(name, given) {
  if (options.requireString(name, given) === '') {
    throw typeError(`Expected '${name}' to name a directory, but it is empty`);
  }
  return path.resolve(given);
}

module.exports = { restore, verify, repair, resolved };
