import { aliasHistory, liveAt } from '../../governance/aliases.ts';
import type { GateResult } from '../../governance/gate.ts';
import { type LedgerEntry, readLedger } from '../../governance/ledger.ts';
import type { ModelCard } from '../../governance/model-card.ts';
import { readVersion } from '../../governance/registry.ts';
import { type CardGate, sageMakerCard } from '../../governance/sagemaker-card.ts';
import type { PromotedModel } from '../../ports/model-catalogue.ts';
import type { Ports } from '../../ports/stage-ports.ts';
import type { Gate } from '../../report/facts.ts';
import { predictingFile } from './model-file.ts';
import { readDocument } from './version.ts';

/**
 * Shows the catalogue of models what the promotion log says. It is asked what is champion now, not told what was promoted: a
 * promotion that is delivered once more does not bring back what was replaced or rolled back meanwhile, and of several who
 * mirror at once the last one to finish has seen the newest log. Throws `ModelNotMirrored`.
 */
export async function mirrorChampion(ports: Ports, useCase: string): Promise<void> {
  for (let mirrored: number | null = null; ;) {
    const moves = aliasHistory(await readLedger(ports.registry, useCase), 'champion');
    const champion = liveAt(moves, 'champion');
    if (champion === mirrored || champion === null) return;
    await ports.models.approve(await promotedModel(ports, useCase, champion, moves));
    mirrored = champion;
  }
}

async function promotedModel(
  ports: Ports,
  useCase: string,
  version: number,
  moves: readonly LedgerEntry[],
): Promise<PromotedModel> {
  const manifest = await readVersion(ports.registry, useCase, version);
  const card = await readDocument<ModelCard>(ports, manifest, 'card.json');
  // a rollback rests on the gates that its version passed before
  const promoted = moves.findLast((entry) => entry.kind === 'promote' && entry.version === version);
  const { gates = [] } = (promoted?.evidence ?? {}) as { gates?: (Gate | GateResult)[] };
  const reason = moves.at(-1)?.reason ?? '';
  const content = sageMakerCard(card, {
    version,
    digest: manifest.digest,
    modelFile: predictingFile(manifest.files.map(({ name }) => name)),
    reason,
    gates: gates.map(cardGate),
  });
  return { useCase, version, digest: manifest.digest, card: content };
}

/** A machine's decision has its gates as its report shows them, a person's as they were judged. */
function cardGate(gate: Gate | GateResult): CardGate {
  const { name, passed } = gate;
  return 'requirement' in gate
    ? { name, passed, requirement: gate.requirement, found: gate.evidence }
    : { name, passed, requirement: gate.evidence.requirement, found: gate.evidence.text };
}
