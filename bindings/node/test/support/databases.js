// Directories and clients of a test, gone with it.
'use strict';

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const chroma = require('../..');

/** A directory of the test's own. */
function temporaryDirectory(t) {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'chroma-node-'));
  t.after(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** A client in memory. */
function openClient(t) {
  const client = chroma.EphemeralClient();
  t.after(() => client.close());
  return client;
}

/** An empty collection of a client in memory. */
async function openCollection(t, options = {}) {
  return openClient(t).createCollection({ name: 'test', ...options });
}

module.exports = { temporaryDirectory, openClient, openCollection };
