// Random numbers from a seed, which a failing test prints.
'use strict';

/** Numbers from 0 up to 1. (xorshift, 32 bits.) */
function seededRandom(seed) {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

/** An index below count. */
function below(random, count) {
  return Math.floor(random() * count);
}

function pick(random, items) {
  return items[below(random, items.length)];
}

/** Rows of dimension numbers, in one array. */
function randomVectors(random, count, dimension) {
  return { data: Float32Array.from({ length: count * dimension }, random), dimension };
}

function idsUpTo(count) {
  return Array.from({ length: count }, (_, index) => `id-${index}`);
}

module.exports = { seededRandom, below, pick, randomVectors, idsUpTo };
