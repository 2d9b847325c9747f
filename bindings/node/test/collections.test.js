// Clients and collections: made, found, listed, deleted, reopened; and how the package is loaded.
'use strict';

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');

const chroma = require('..');
const { openClient, temporaryDirectory } = require('./support/databases');

test('a directory keeps its collections and records', async (t) => {
  const directory = path.join(temporaryDirectory(t), 'made', 'on the way');
  const first = chroma.PersistentClient({ path: directory });
  const notes = await first.createCollection({ name: 'notes', metadata: { kind: 'x', n: 1 } });
  await notes.add({ ids: ['a'], embeddings: [[1, 2]], documents: ['eins'] });
  await first.close();

  const second = new chroma.PersistentClient({ path: directory });
  const found = await second.getCollection({ name: 'notes' });
  assert.equal(found.id, notes.id);
  assert.deepEqual(found.metadata, { kind: 'x', n: 1 });
  assert.deepEqual((await found.get()).documents, ['eins']);
  await second.close();
});

test('clients of one directory see each other at once', async (t) => {
  const directory = temporaryDirectory(t);
  const clients = [0, 1].map(() => chroma.PersistentClient({ path: directory }));
  const written = await clients[0].createCollection({ name: 'notes' });
  const read = await clients[1].getCollection({ name: 'notes' });
  await written.add({ ids: ['a'], embeddings: [[1]] });
  assert.equal(await read.count(), 1);
  await clients[0].close();
  assert.equal(await read.count(), 1);
  await clients[1].close();
});

test('databases in memory are apart', async (t) => {
  await openClient(t).createCollection({ name: 'notes' });
  await assert.rejects(openClient(t).getCollection({ name: 'notes' }), chroma.ChromaNotFoundError);
});

test('a collection says what it is', async (t) => {
  const client = openClient(t);
  const notes = await client.createCollection({
    name: 'notes',
    configuration: { hnsw: { space: 'cosine', ef_search: 50 } },
    embeddingFunction: null,
  });
  assert.match(notes.id, /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  assert.deepEqual([notes.tenant, notes.database], ['default_tenant', 'default_database']);
  assert.deepEqual([notes.name, notes.metadata], ['notes', undefined]);
  assert.equal(notes.configuration.hnsw.space, 'cosine');
  assert.equal(notes.configuration.hnsw.ef_search, 50);
  await notes.add({ ids: ['a', 'b'], embeddings: [[10, 0], [1, 1]] });
  assert.deepEqual((await notes.query({ queryEmbeddings: [[1, 0]] })).ids, [['a', 'b']]);
});

test('a schema says what is indexed, and what is not is no filter', async (t) => {
  const client = openClient(t);
  const index = { enabled: false, config: {} };
  const schema = {
    defaults: { string: { string_inverted_index: index } },
    keys: { '#document': { string: { fts_index: index } } },
  };
  const made = await client.createCollection({ name: 'notes', schema });
  const found = await client.getCollection({ name: 'notes' });
  assert.deepEqual(found.schema, made.schema);
  assert.equal(found.schema.defaults.string.string_inverted_index.enabled, false);
  assert.equal(found.schema.defaults.int.int_inverted_index.enabled, true);
  await found.add({ ids: ['a'], embeddings: [[1]], metadatas: [{ s: 'x', n: 1 }] });
  assert.deepEqual((await found.get({ where: { n: 1 } })).ids, ['a']);
  await assert.rejects(found.get({ where: { s: 'x' } }), /key 's' with type 'Str'/);
  await assert.rejects(found.get({ whereDocument: { $contains: 'x' } }), /full-text search/);
});

test('getOrCreateCollection leaves an existing collection as it is', async (t) => {
  const client = openClient(t);
  const made = await client.getOrCreateCollection({ name: 'notes', metadata: { n: 1 } });
  const found = await client.getOrCreateCollection({ name: 'notes', metadata: { n: 2 } });
  assert.deepEqual([found.id, found.metadata], [made.id, { n: 1 }]);
});

test('collections are listed in pages', async (t) => {
  const client = openClient(t);
  const names = ['one', 'two', 'three'];
  for (const name of names) await client.createCollection({ name });
  const all = await client.listCollections();
  assert.deepEqual(all.map(({ name }) => name).sort(), [...names].sort());
  const second = await client.listCollections({ limit: 1, offset: 1 });
  assert.deepEqual(second.map(({ id }) => id), [all[1].id]);
  assert.deepEqual(await client.listCollections({ limit: 0 }), []);
});

test('a deleted collection is not found', async (t) => {
  const client = openClient(t);
  const notes = await client.createCollection({ name: 'notes' });
  await client.deleteCollection({ name: 'notes' });
  const missing = { constructor: chroma.ChromaNotFoundError, code: 'CHROMA_ERROR_NOT_FOUND' };
  await assert.rejects(client.getCollection({ name: 'notes' }), {
    ...missing, name: 'ChromaNotFoundError', message: 'Collection [notes] does not exist',
  });
  await assert.rejects(client.deleteCollection({ name: 'notes' }), missing);
  await assert.rejects(notes.count(), missing);
  await assert.rejects(notes.add({ ids: ['a'], embeddings: [[1]] }), missing);
});

test('a name is given once', async (t) => {
  const client = openClient(t);
  await client.createCollection({ name: 'notes' });
  await assert.rejects(client.createCollection({ name: 'notes' }), {
    constructor: chroma.ChromaUniqueError,
    name: 'ChromaUniqueError',
    code: 'CHROMA_ERROR_ALREADY_EXISTS',
    message: 'Collection [notes] already exists',
  });
});

test('an error says where it was called from', async (t) => {
  const client = openClient(t);
  const error = await client.getCollection({ name: 'nope' }).catch((caught) => caught);
  assert.match(error.stack, /collections\.test\.js/);
});

test('a path is resolved when the client is made', async (t) => {
  const directory = fs.realpathSync(temporaryDirectory(t));
  const before = process.cwd();
  process.chdir(directory);
  const client = chroma.PersistentClient({ path: 'here' });
  process.chdir(before);
  await client.heartbeat();
  await client.close();
  assert.ok(fs.existsSync(path.join(directory, 'here', 'chroma.db')));
});

test('what cannot be opened is an error of the first call, and of the next', async (t) => {
  const directory = temporaryDirectory(t);
  const file = path.join(directory, 'file');
  fs.writeFileSync(file, 'not a directory');
  const client = chroma.PersistentClient({ path: file });
  for (const call of [() => client.heartbeat(), () => client.listCollections()]) {
    await assert.rejects(call, { constructor: chroma.ChromaError, code: 'CHROMA_ERROR_IO' });
  }
  fs.rmSync(file);
  assert.ok((await client.heartbeat()) > 1.7e18);
  await client.close();
});

test('the package loads by require and by import, and is the same', async () => {
  const script = `
    import * as named from '${path.join(__dirname, '..', 'lib', 'index.mjs')}';
    import { createRequire } from 'node:module';
    const required = createRequire('${__filename}')('..');
    for (const name of Object.keys(required)) {
      if (named[name] !== required[name]) throw new Error(name);
    }
    console.log(Object.keys(named).sort().join());
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '--eval', script]);
  assert.equal(String(printed).trim(), Object.keys(chroma).sort().join());
});

test('the types declare what the package exports', () => {
  const types = fs.readFileSync(path.join(__dirname, '..', 'index.d.ts'), 'utf8');
  const names = types.matchAll(/^export declare (?:class|const|function) (\w+)/gm);
  const declared = [...names].map(([, name]) => name);
  assert.deepEqual(declared.sort(), Object.keys(chroma).sort());
  const methodsOf = (name) => {
    const [, body] = types.match(new RegExp(`^export interface ${name} \\{\n(.*?)^\\}`, 'ms'));
    // A method may be declared more than once.
    return [...new Set([...body.matchAll(/^  (\w+)[<(]/gm)].map(([, method]) => method))];
  };
  const methodsOn = (prototype) =>
    Object.getOwnPropertyNames(prototype).filter((name) => name !== 'constructor');
  const client = chroma.EphemeralClient();
  assert.deepEqual(methodsOf('Client'), methodsOn(Object.getPrototypeOf(client)));
  const { Collection } = require('../lib/collection');
  assert.deepEqual(methodsOf('Collection'), methodsOn(Collection.prototype));
});

test('the package resolves by its name, for require and for import', (t) => {
  const directory = temporaryDirectory(t);
  fs.mkdirSync(path.join(directory, 'node_modules'));
  fs.symlinkSync(path.join(__dirname, '..'), path.join(directory, 'node_modules', 'chromadb'));
  fs.writeFileSync(
    path.join(directory, 'main.mjs'),
    `import { EphemeralClient } from 'chromadb';
     import { createRequire } from 'node:module';
     const required = createRequire(import.meta.url)('chromadb');
     console.log(required.EphemeralClient === EphemeralClient);`,
  );
  const printed = execFileSync(process.execPath, [path.join(directory, 'main.mjs')]);
  assert.equal(String(printed).trim(), 'true');
});
