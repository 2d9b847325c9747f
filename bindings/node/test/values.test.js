// Values cross the border unchanged, or are refused in a sentence.
'use strict';

const assert = require('node:assert/strict');
const { test } = require('node:test');
const vm = require('node:vm');

const { ChromaValueError, InvalidArgumentError } = require('..');
const { openCollection } = require('./support/databases');

const SAFE = Number.MAX_SAFE_INTEGER;

/** Writes the metadata as one record's and reads it back. */
async function roundTrip(t, metadata) {
  const collection = await openCollection(t);
  await collection.add({ ids: ['a'], embeddings: [[1]], metadatas: [metadata] });
  return (await collection.get()).metadatas[0];
}

function refused(message, errorClass = ChromaValueError) {
  return (error) => {
    assert.equal(error.constructor, errorClass, String(error));
    assert.equal(error.code, 'CHROMA_ERROR_INVALID_ARGUMENT');
    assert.match(error.message, message);
    return true;
  };
}

test('scalars come back as they were', async (t) => {
  const metadata = {
    yes: true,
    no: false,
    zero: 0,
    negative: -7,
    fraction: 0.1,
    tiny: 5e-324,
    huge: 1.7976931348623157e308,
    safe: SAFE,
    unsafe: -SAFE,
    empty: '',
    text: 'a\0b é e\u0301 \u{10FFFF} 😀',
  };
  assert.deepEqual(await roundTrip(t, metadata), metadata);
});

test('integers beyond 2^53 are bigints, smaller ones numbers', async (t) => {
  const written = { max: 2n ** 63n - 1n, min: -(2n ** 63n), next: BigInt(SAFE) + 1n, small: 12n };
  assert.deepEqual(await roundTrip(t, written), { ...written, small: 12 });
});

test('numbers beyond 2^53 that are no bigints are floats', async (t) => {
  assert.deepEqual(await roundTrip(t, { x: 2 ** 60 }), { x: 2 ** 60 });
});

test('arrays keep their type, order and duplicates', async (t) => {
  const metadata = {
    booleans: [true, false, true],
    integers: [3, -1, 3],
    floats: [1, 2.5, -0.5],
    strings: ['z', '', 'z', '😀'],
    one: [0],
  };
  assert.deepEqual(await roundTrip(t, metadata), metadata);
});

test('an array of integers is all bigints if one of them must be', async (t) => {
  assert.deepEqual(await roundTrip(t, { x: [1n, 2, 3n], y: [1, 2n ** 62n] }), {
    x: [1, 2, 3], y: [1n, 2n ** 62n],
  });
});

test('any string is a key, and none touches a prototype', async (t) => {
  const metadata = JSON.parse('{"__proto__": "own", "constructor": 1, "a\\u0000b": 2, "0": 3}');
  const found = await roundTrip(t, metadata);
  assert.deepEqual(Object.entries(found).sort(), Object.entries(metadata).sort());
  assert.equal(Object.getPrototypeOf(found), Object.prototype);
});

test('a null removes a key in update, and is nothing in add', async (t) => {
  const collection = await openCollection(t);
  const metadatas = [{ x: 1, y: null }, { z: null }];
  await collection.add({ ids: ['a', 'b'], embeddings: [[1], [2]], metadatas });
  assert.deepEqual((await collection.get()).metadatas, [{ x: 1 }, null]);
  await collection.upsert({ ids: ['a'], embeddings: [[1]], metadatas: [{ x: null, w: 2 }] });
  assert.deepEqual((await collection.get()).metadatas[0], { w: 2 });
});

test('values that are none of metadata are refused with their key', async (t) => {
  const wrong = [
    [undefined, /'key' to be a string, number, bigint, boolean.*got undefined/],
    [{ a: 1 }, /'key' to be .*got object/],
    [new Date(0), /'key' to be .*got object/],
    [new Float32Array(2), /'key' to be .*got object/],
    [() => 1, /'key' to be .*got function/],
    [Symbol('s'), /'key' to be .*got symbol/],
    [[], /list value for key 'key' to be non-empty/],
    [[1, 'x'], /'key' to contain only the same type, got mixed types/],
    [[true, 1], /'key' to contain only the same type, got mixed types/],
    [[1.5, 1n], /'key' to contain only the same type, got mixed types/],
    [[1n, 1.5], /'key' to contain only the same type, got mixed types/],
    [[null], /'key' to contain only strings, numbers, or booleans, got null/],
    [[[1]], /'key' to contain only strings, numbers, or booleans, got array/],
    // Takes as much memory as one element.
    [Object.assign(new Array(2 ** 32 - 1), [1]), /'key' to contain only .*, got undefined/],
    [2n ** 63n, /bigint for key 'key' to fit in 64 bits/],
    [[1n, -(2n ** 63n) - 1n], /bigint for key 'key' to fit in 64 bits/],
  ];
  for (const [value, message] of wrong) {
    await assert.rejects(roundTrip(t, { key: value }), refused(message));
  }
  await assert.rejects(roundTrip(t, {}), refused(/Expected metadata to be non-empty/));
  await assert.rejects(roundTrip(t, ['x']), refused(/metadata to be an object, but got array/));
  await assert.rejects(roundTrip(t, { key: NaN }), refused(/key/, InvalidArgumentError));
  await assert.rejects(roundTrip(t, { $key: 1 }), refused(/metadata/, InvalidArgumentError));
  await assert.rejects(
    roundTrip(t, { ['k'.repeat(10_000)]: undefined }), refused(/^.{90,400}got undefined$/),
  );
});

test('half a surrogate pair is refused wherever a string goes', async (t) => {
  const collection = await openCollection(t);
  const one = { ids: ['a'], embeddings: [[1]] };
  const wrong = '\u{1F600}'.slice(0, 1);
  const long = 'x'.repeat(1000) + '\u{1F600}'.slice(1);
  const calls = [
    () => collection.add({ ...one, ids: [wrong] }),
    () => collection.add({ ...one, ids: [long] }),
    () => collection.add({ ...one, documents: ['a' + wrong + 'b'] }),
    () => collection.add({ ...one, uris: [wrong] }),
    () => collection.add({ ...one, metadatas: [{ [wrong]: 1 }] }),
    () => collection.add({ ...one, metadatas: [{ a: wrong }] }),
    () => collection.add({ ...one, metadatas: [{ a: ['b', wrong] }] }),
    () => collection.get({ ids: [wrong] }),
    () => collection.get({ where: { a: wrong } }),
    () => collection.get({ where: { [wrong]: 1 } }),
    () => collection.get({ whereDocument: { $contains: wrong } }),
  ];
  for (const call of calls) {
    await assert.rejects(call, refused(/well-formed UTF-16.*half a surrogate pair/));
  }
  assert.equal(await collection.count(), 0);
});

test('strings of every length keep every character', async (t) => {
  const collection = await openCollection(t);
  const units = ['a', 'é', '€', '😀'];
  // Around 256 units, up to which a string is read at once.
  const documents = [];
  for (const unit of units) {
    for (const length of [1, 127, 128, 254, 255, 256, 257, 5000]) {
      documents.push('-'.repeat(length) + unit + unit, unit.repeat(length));
    }
  }
  const ids = documents.map((_, index) => String(index));
  const embeddings = documents.map(() => [1]);
  await collection.add({ ids, embeddings, documents });
  assert.deepEqual((await collection.get()).documents, documents);
});

test('bigints in filters keep their digits', async (t) => {
  const collection = await openCollection(t);
  const big = 2n ** 62n;
  const metadatas = [{ n: big }, { n: big + 1n }, { n: 4 }];
  await collection.add({ ids: ['a', 'b', 'c'], embeddings: [[1], [2], [3]], metadatas });
  assert.deepEqual((await collection.get({ where: { n: big + 1n } })).ids, ['b']);
  assert.deepEqual((await collection.get({ where: { n: { $gt: big } } })).ids, ['b']);
  assert.deepEqual((await collection.get({ where: { n: { $in: [4n, big] } } })).ids, ['a', 'c']);
});

test('numbers in filters are what they are in metadata', async (t) => {
  const collection = await openCollection(t);
  const numbers = [0, -1, 0.5, 1e-7, SAFE, SAFE + 1, 2 ** 63, -(2 ** 63), 2 ** 64, 1e21, 1e300];
  await collection.add({
    ids: numbers.map(String),
    embeddings: numbers.map(() => [1]),
    metadatas: numbers.map((n) => ({ n })),
  });
  for (const n of numbers) {
    assert.deepEqual((await collection.get({ where: { n } })).ids, [String(n)]);
  }
});

test('filters that JSON cannot say are refused', async (t) => {
  const collection = await openCollection(t);
  const itself = {};
  itself.$and = [itself, itself];
  await assert.rejects(collection.get({ where: itself }), refused(/at most 256 levels/));
  await assert.rejects(collection.get({ where: {} }), refused(/where to be a non-empty object/));
  await assert.rejects(collection.get({ where: [] }), refused(/non-empty object, but got array/));
  await assert.rejects(collection.get({ where: { a: NaN } }), refused(/finite, but got NaN/));
  await assert.rejects(collection.get({ where: { a: -(2n ** 63n) - 1n } }),
    refused(/bigints in 'where' to fit in 64 bits/));
  for (const value of [undefined, new Date(0), new Map(), () => 1, Symbol('s')]) {
    await assert.rejects(collection.get({ where: { a: value } }), {
      name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE', message: /'where' to hold plain objects/,
    });
  }
});

test('values of another realm are as good', async (t) => {
  const collection = await openCollection(t);
  const records = vm.runInNewContext(`({
    ids: ['a', 'b'],
    embeddings: [new Float32Array([1, 2]), [3, 4]],
    metadatas: [{ tags: ['x'] }, null],
  })`);
  await collection.add(records);
  const where = vm.runInNewContext("({ tags: { $contains: 'x' } })");
  assert.deepEqual((await collection.get({ where, include: ['embeddings'] })).embeddings, [[1, 2]]);
  const data = vm.runInNewContext('({ data: new Float32Array([3, 4]), dimension: 2 })');
  assert.deepEqual((await collection.query({ queryEmbeddings: data, nResults: 1 })).ids, [['b']]);
});
