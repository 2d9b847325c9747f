// Vectors, from the shapes that callers have to the one that the addon takes.
//
// The addon reads the vectors while the caller's code goes on. It gets an array that nobody else
// has: one of the caller's could be written to, detached or shrunk in the meantime.
'use strict';

// Not instanceof: an array may come from another realm.
const { isFloat32Array, isFloat64Array } = require('node:util').types;

const { ChromaValueError, InvalidArgumentError } = require('./errors');
const { kindOf } = require('./options');

/** @returns {{values: Float32Array, dimension: number, count: number}} */
function toMatrix(name, embeddings) {
  if (Array.isArray(embeddings)) return matrixOfRows(embeddings);
  if (embeddings !== null && typeof embeddings === 'object' && 'dimension' in embeddings) {
    return matrixOfFlat(name, embeddings);
  }
  throw new ChromaValueError(
    `Expected '${name}' to be an array, or {data: Float32Array, dimension}, ` +
      `but got ${kindOf(embeddings)}`,
  );
}

function matrixOfFlat(name, { data, dimension }) {
  if (!isFloat32Array(data)) {
    throw new ChromaValueError(
      `Expected the data of '${name}' to be a Float32Array, but got ${kindOf(data)}`,
    );
  }
  if (!Number.isSafeInteger(dimension) || dimension < 1) {
    throw new ChromaValueError(`Expected the dimension of '${name}' to be a positive integer`);
  }
  if (data.length === 0 || data.length % dimension !== 0) {
    throw new ChromaValueError(
      `Expected '${name}' to hold rows of ${dimension} numbers, but got ${data.length} numbers`,
    );
  }
  const values = new Float32Array(data);
  return { values, dimension, count: values.length / dimension };
}

function matrixOfRows(rows) {
  const count = rows.length;
  if (count === 0) {
    throw new ChromaValueError('Expected embeddings to be an array with at least one item');
  }
  const dimension = lengthOfRow(rows[0], 0);
  // Before the allocation: an array may claim to be long and have few rows.
  for (let index = 1; index < count; index++) {
    if (lengthOfRow(rows[index], index) !== dimension) {
      throw new InvalidArgumentError('Inconsistent dimensions in provided embeddings');
    }
  }
  const values = new Float32Array(count * dimension);
  for (let index = 0; index < count; index++) {
    const row = rows[index];
    if (Array.isArray(row)) {
      copyNumbers(row, index, values, index * dimension, dimension);
    } else {
      values.set(row, index * dimension);
    }
  }
  return { values, dimension, count };
}

function lengthOfRow(row, index) {
  if (!Array.isArray(row) && !isFloat32Array(row) && !isFloat64Array(row)) {
    throw new ChromaValueError(
      `Expected each embedding to be a non-empty array of numbers, ` +
        `but got ${kindOf(row)} at index ${index}`,
    );
  }
  if (row.length === 0) {
    throw new ChromaValueError(
      'Expected each embedding to be a non-empty array of numbers, ' +
        `but got an empty array at index ${index}`,
    );
  }
  return row.length;
}

function copyNumbers(row, index, values, offset, dimension) {
  for (let place = 0; place < dimension; place++) {
    const value = row[place];
    if (typeof value !== 'number') {
      throw new ChromaValueError(
        `Expected each embedding to be a non-empty array of numbers, ` +
          `but got ${kindOf(value)} at index ${index}, element ${place}`,
      );
    }
    values[offset + place] = value;
  }
}

module.exports = { toMatrix };
