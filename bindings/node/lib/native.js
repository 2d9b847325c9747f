// The addon.
'use strict';

const path = require('node:path');

const file = path.join(__dirname, '..', 'build', 'chroma.node');

try {
  module.exports = require(file);
} catch (cause) {
  const message = `The addon ${file} does not load; \`make node\` builds it. ${cause.message}`;
  throw new Error(message, { cause });
}
