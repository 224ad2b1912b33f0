import type { Conformal } from '../../ml/calibration/conformal.ts';
import {
  DigestMismatch,
  type VersionManifest,
  fileKey,
  readVersion,
  readVersionFile,
} from '../../governance/registry.ts';
import { InvalidModel } from '../../ml/trees/model.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { EvaluationDocument } from '../evaluate.ts';
import type { TrainingDocument } from '../train.ts';
import { BrokenDocument, fromJsonBytes } from './json.ts';
import type { Learnt } from './learning.ts';
import { predictingFile, readModelFile } from './model-file.ts';

/** A published version as the stages use it: every file read is verified against its manifest. */
export type LoadedVersion = {
  manifest: VersionManifest;
  learnt: Learnt;
  conformal: Conformal | null;
  training: TrainingDocument;
};

/** Throws `VersionNotFound`, `DigestMismatch`, `InvalidModel`. */
export async function loadVersion(ports: Ports, useCase: string, version: number): Promise<LoadedVersion> {
  const manifest = await readVersion(ports.registry, useCase, version);
  const file = predictingFile(manifest.files.map(({ name }) => name));
  const model = await readVersionFile(ports.registry, manifest, file);
  const training = await readDocument<TrainingDocument>(ports, manifest, 'training.json');
  return {
    manifest,
    learnt: calibrated(readModelFile(model), training),
    conformal: training.conformal,
    training,
  };
}

/** A model with the calibrator that belongs to it. */
export function calibrated(learnt: Learnt, { calibrator }: Pick<TrainingDocument, 'calibrator'>): Learnt {
  return calibrator ? { ...learnt, calibrator } : learnt;
}

export async function loadEvaluation(ports: Ports, manifest: VersionManifest): Promise<EvaluationDocument> {
  return readDocument<EvaluationDocument>(ports, manifest, 'evaluation.json');
}

export async function readDocument<T>(ports: Ports, manifest: VersionManifest, name: string): Promise<T> {
  return fromJsonBytes<T>(await readVersionFile(ports.registry, manifest, name), fileKey(manifest, name));
}

/** What was read of a version, or why that cannot be used. What the store itself does not give is thrown on. */
export async function readable<T>(
  read: () => Promise<T>,
): Promise<{ value: T; fault: null } | { value: undefined; fault: string }> {
  try {
    return { value: await read(), fault: null };
  } catch (error) {
    if (!faults.some((fault) => error instanceof fault)) throw error;
    return { value: undefined, fault: (error as Error).message };
  }
}

const faults = [DigestMismatch, InvalidModel, BrokenDocument, SyntaxError];
