'use strict';

const { PersistentClient, EphemeralClient } = require('./client');
const { restore, verify, repair } = require('./directories');
const errors = require('./errors');
const { IncludeEnum } = require('./results');

exports.PersistentClient = PersistentClient;
exports.EphemeralClient = EphemeralClient;
exports.restore = restore;
exports.verify = verify;
exports.repair = repair;
exports.IncludeEnum = IncludeEnum;
exports.ChromaError = errors.ChromaError;
exports.ChromaNotFoundError = errors.ChromaNotFoundError;
exports.ChromaUniqueError = errors.ChromaUniqueError;
exports.ChromaValueError = errors.ChromaValueError;
exports.InvalidArgumentError = errors.InvalidArgumentError;
