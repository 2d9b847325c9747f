// Wrong options are refused before anything is written, in a sentence, and in the official client's
// words where it has some.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');

const chroma = require('..');
const { openClient } = require('./support/databases');

const { ChromaError, ChromaValueError, InvalidArgumentError } = chroma;
const one = { ids: ['a'], embeddings: [[1, 2]] };
const query = { queryEmbeddings: [[1, 2]] };

// method, options, error class, message.
const CLIENT = [
  ['createCollection', undefined, TypeError, /createCollection\(\) takes an object of options/],
  ['createCollection', 'notes', TypeError, /takes an object of options, but got string/],
  ['createCollection', ['notes'], TypeError, /takes an object of options, but got array/],
  ['createCollection', {}, TypeError, /'name' to be a string, but got undefined/],
  ['createCollection', { name: 7 }, TypeError, /'name' to be a string, but got number/],
  ['createCollection', { nmae: 'x' }, TypeError, /has no option 'nmae'; its options are name,/],
  ['createCollection', { name: 'no' }, InvalidArgumentError, /Expected a name containing 3-512/],
  ['createCollection', { name: 'a\0bc' }, InvalidArgumentError, /Expected a name containing/],
  ['createCollection', { name: 'notes', metadata: {} }, ChromaValueError, /to be non-empty/],
  ['createCollection', { name: 'notes', metadata: 7 }, ChromaValueError, /but got number/],
  ['createCollection', { name: 'notes', metadata: { a: ['x'] } }, InvalidArgumentError, /./],
  ['createCollection', { name: 'notes', configuration: 'l2' }, ChromaValueError, /got string/],
  ['createCollection', { name: 'notes', configuration: { hnsw: { space: 'x' } } },
    InvalidArgumentError, /unknown variant `x`/],
  ['createCollection', { name: 'notes', embeddingFunction: {} }, ChromaValueError,
    /pass 'embeddingFunction: null'/],
  ['getOrCreateCollection', { name: 'no' }, InvalidArgumentError, /Expected a name/],
  ['getCollection', null, TypeError, /takes an object of options, but got null/],
  ['getCollection', { name: null }, TypeError, /'name' to be a string, but got null/],
  ['deleteCollection', { name: 1n }, TypeError, /'name' to be a string, but got bigint/],
  ['listCollections', { limit: -1 }, ChromaValueError, /limit must be a non-negative integer/],
  ['listCollections', { offset: '1' }, ChromaValueError, /offset must be a non-negative integer/],
  ['listCollections', { signal: 1 }, TypeError, /'signal' to be an AbortSignal, but got number/],
];

const COLLECTION = [
  ['add', undefined, TypeError, /add\(\) takes an object of options, but got undefined/],
  ['add', { ...one, document: ['x'] }, TypeError, /add\(\) has no option 'document'/],
  ['add', {}, ChromaValueError, /^Expected 'ids' to be an array, but got undefined$/],
  ['add', { ...one, ids: 'a' }, ChromaValueError,
    /^Expected 'ids' to be an array, but got string$/],
  ['add', { ...one, ids: [] }, ChromaValueError, /^Non-empty lists are required for ids$/],
  ['add', { ids: [], documents: [] }, ChromaValueError,
    /^Non-empty lists are required for ids, documents$/],
  ['add', { ...one, ids: ['a', 1, 'b', null] }, ChromaValueError, /^Found non-string IDs at 1, 3$/],
  ['add', { ...one, ids: new Array(2 ** 32 - 1) }, ChromaValueError,
    /^Found non-string IDs at 0, 1, 2, 3, 4, \.\.\., 95, 96, 97, 98, 99$/],
  ['add', { ...one, ids: [''] }, InvalidArgumentError, /Empty ID/],
  ['add', { ids: ['a', 'b', 'a'], embeddings: [[1], [2], [3]] }, ChromaValueError,
    /^Expected IDs to be unique, but found duplicates of a$/],
  ['add', { ids: ['x'.repeat(200), 'x'.repeat(200)], embeddings: [[1], [2]] }, ChromaValueError,
    /^Expected IDs to be unique, but found duplicates of x{100}…$/],
  ['add', { ids: ['a'] }, ChromaValueError, /^No embedding function found for collection 'notes'/],
  ['add', { ids: ['a'], documents: ['x'] }, ChromaValueError, /^No embedding function found/],
  ['add', { ...one, documents: 'x' }, ChromaValueError,
    /^Expected 'documents' to be an array, but got string$/],
  ['add', { ...one, documents: ['x', 'y'] }, ChromaValueError,
    /^Unequal lengths for fields ids, documents$/],
  ['add', { ...one, metadatas: [{}, {}], uris: ['x', 'y'] }, ChromaValueError,
    /^Unequal lengths for fields ids, metadatas, uris$/],
  ['add', { ...one, documents: [7] }, ChromaValueError,
    /^Expected each document to be a string, but got number$/],
  ['add', { ...one, uris: [{}] }, ChromaValueError,
    /^Expected each uri to be a string, but got object$/],
  ['add', { ...one, metadatas: [7] }, ChromaValueError, /metadata to be an object, but got number/],
  ['add', { ...one, signal: {} }, TypeError, /'signal' to be an AbortSignal, but got object/],
  ['update', { ids: ['a'], documents: ['x'] }, ChromaValueError, /^No embedding function found/],
  ['upsert', { ids: ['a'] }, ChromaValueError, /^No embedding function found/],
  ['get', null, TypeError, /get\(\) takes an object of options, but got null/],
  ['get', { nResults: 1 }, TypeError, /get\(\) has no option 'nResults'/],
  ['get', { ids: [] }, ChromaValueError, /^Expected 'ids' to be a non-empty list$/],
  ['get', { ids: 'a' }, ChromaValueError, /^Expected 'ids' to be an array, but got string$/],
  ['get', { limit: 1.5 }, ChromaValueError, /^limit must be a non-negative integer$/],
  ['get', { limit: null }, ChromaValueError, /^limit must be a non-negative integer$/],
  ['get', { offset: NaN }, ChromaValueError, /^offset must be a non-negative integer$/],
  ['get', { include: 'documents' }, ChromaValueError, /'include' to be a non-empty array/],
  ['get', { include: [1] }, ChromaValueError, /^Expected 'include' items to be strings$/],
  ['get', { include: ['toString'] }, ChromaValueError,
    /items to be one of distances, documents, embeddings, metadatas, uris, but got toString$/],
  ['get', { include: ['distances'] }, ChromaValueError, /^distances is not allowed for this oper/],
  ['get', { where: 'x' }, ChromaValueError, /where to be a non-empty object, but got string/],
  ['get', { where: { a: { $foo: 1 } } }, InvalidArgumentError, /^Invalid where clause$/],
  ['get', { whereDocument: { $foo: 'x' } }, InvalidArgumentError,
    /^Invalid where document clause$/],
  ['get', { whereDocument: {} }, ChromaValueError, /'whereDocument' to be a non-empty object/],
  ['get', { whereDocument: { $regex: '(' } }, InvalidArgumentError, /regex parse error/],
  ['peek', { limit: -1 }, ChromaValueError, /^limit must be a non-negative integer$/],
  ['query', undefined, TypeError, /query\(\) takes an object of options/],
  ['query', {}, ChromaValueError, /^'queryEmbeddings' must be provided$/],
  ['query', { queryTexts: ['x'] }, TypeError, /query\(\) has no option 'queryTexts'/],
  ['query', { ...query, nResults: '1' }, ChromaValueError,
    /^Expected 'nResults' to be a number, but got string$/],
  ['query', { ...query, nResults: -1 }, ChromaValueError,
    /^Number of requested results has to positive$/],
  ['query', { ...query, nResults: 0.5 }, ChromaValueError, /^nResults must be a non-negative int/],
  ['query', { queryEmbeddings: [1, 2] }, ChromaValueError, /array of numbers, but got number/],
  ['query', { queryEmbeddings: 'x' }, ChromaValueError, /'queryEmbeddings' to be an array/],
  ['delete', undefined, TypeError, /delete\(\) takes an object of options/],
  ['delete', { ids: [] }, ChromaValueError, /^Expected 'ids' to be a non-empty list$/],
  ['delete', { ids: ['a'], limit: 1 }, ChromaValueError,
    /^limit can only be specified when a where or whereDocument clause is provided$/],
  ['delete', { where: { a: 1 }, limit: -1 }, ChromaValueError,
    /^limit must be a non-negative integer$/],
  ['count', { limit: 1 }, TypeError,
    /count\(\) has no option 'limit'; its options are where, whereDocument, signal/],
];

function expected(errorClass, message) {
  return (error) => {
    assert.equal(error.constructor, errorClass, String(error));
    assert.match(error.message, message);
    const isOurs = errorClass !== TypeError;
    assert.equal(error.code, isOurs ? 'CHROMA_ERROR_INVALID_ARGUMENT' : 'ERR_INVALID_ARG_TYPE');
    assert.equal(error.name, errorClass.name);
    assert.equal(error instanceof ChromaError, isOurs);
    return true;
  };
}

test('wrong options of a client are refused', async (t) => {
  const client = openClient(t);
  for (const [method, options, errorClass, message] of CLIENT) {
    await assert.rejects(client[method](options), expected(errorClass, message));
  }
  assert.deepEqual(await client.listCollections(), []);
});

test('wrong options of a collection are refused', async (t) => {
  const collection = await openClient(t).createCollection({ name: 'notes' });
  for (const [method, options, errorClass, message] of COLLECTION) {
    await assert.rejects(collection[method](options), expected(errorClass, message));
  }
  assert.equal(await collection.count(), 0);
});

test('wrong options of a new client are thrown at once', () => {
  const wrong = [
    [undefined, TypeError, /PersistentClient\(\) takes an object of options, but got undefined/],
    ['./notes', TypeError, /takes an object of options, but got string/],
    [{}, TypeError, /'path' to be a string, but got undefined/],
    [{ path: Buffer.from('x') }, TypeError, /'path' to be a string, but got object/],
    [{ path: '' }, TypeError, /'path' to name a directory, but it is empty/],
    [{ path: 'x', settings: {} }, TypeError, /has no option 'settings'/],
    [{ path: 'x', tenant: 1 }, TypeError, /'tenant' to be a string, but got number/],
    [{ path: 'x\ud800' }, ChromaValueError, /'path' to be well-formed UTF-16/],
  ];
  for (const [options, errorClass, message] of wrong) {
    assert.throws(() => chroma.PersistentClient(options), expected(errorClass, message));
  }
  assert.throws(() => chroma.EphemeralClient({ path: 'x' }), /has no option 'path'/);
});

test('an option that throws when it is read rejects with what it threw', async (t) => {
  const collection = await openClient(t).createCollection({ name: 'notes' });
  const thrown = new RangeError('mine');
  const throwing = { get: () => { throw thrown; }, enumerable: true };
  const wrong = [
    Object.defineProperty({ ...one }, 'documents', throwing),
    { ...one, metadatas: [Object.defineProperty({}, 'a', throwing)] },
    { ...one, documents: Object.defineProperty(['x'], '0', throwing) },
    { ...one, metadatas: [{ a: Object.defineProperty(['x'], '0', throwing) }] },
    { ...one, metadatas: [new Proxy({}, { ownKeys() { throw thrown; } })] },
  ];
  for (const options of wrong) {
    await assert.rejects(collection.add(options), (error) => error === thrown);
  }
});

test('a method of another object is refused', async (t) => {
  const collection = await openClient(t).createCollection({ name: 'notes' });
  await assert.rejects(Reflect.apply(collection.count, {}, []), TypeError);
  await assert.rejects(Reflect.apply(collection.count, undefined, []), TypeError);
});
