import type { SqlEngine } from '../data/sql.ts';
import type { DeltaTable } from '../lake/table.ts';
import type { Ports } from '../ports/stage-ports.ts';
import {
  confusionPath,
  driftPath,
  featuresPath,
  lakeTable,
  predictionsPath,
  quarantinePath,
  recommendationsPath,
  removalsPath,
  shadowsPath,
  silverPath,
} from '../stages/common/sql.ts';
import { redrivenPath } from '../stages/common/redrive.ts';
import { taskOf } from '../usecase/label.ts';
import { useCaseOf } from '../usecase/catalogue.ts';

/** A table of a use case, under the name by which SQL knows it. */
export type NamedTable = { name: string; zone: string; path: string; table: DeltaTable };

/** Every table that the use case can have: its sources, their quarantines, what was redriven from these, features, predictions (of versions in shadow too), recommendations, drift and confusion. */
export function tablesOf(ports: Ports, useCase: string, sql?: SqlEngine): NamedTable[] {
  const { declaration } = useCaseOf(ports.catalogue, useCase);
  const sources = Object.keys(declaration.sources);
  const named = (name: string, zone: 'bronze' | 'silver' | 'gold', path: string): NamedTable => ({
    name,
    zone,
    path,
    table: lakeTable(ports, ports[zone], path, sql),
  });
  return [
    ...sources.map((source) => named(source, 'silver', silverPath(useCase, source))),
    ...sources.map((source) =>
      named(sources.length > 1 ? `quarantine_${source}` : 'quarantine', 'bronze', quarantinePath(useCase, source)),
    ),
    ...sources.map((source) =>
      named(sources.length > 1 ? `redriven_${source}` : 'redriven', 'bronze', redrivenPath(useCase, source)),
    ),
    named('features', 'gold', featuresPath(useCase)),
    named('predictions', 'gold', predictionsPath(useCase)),
    ...(declaration.shadow ? [named('shadow_predictions', 'gold', shadowsPath(useCase))] : []),
    ...(declaration.recommend
      ? [
          named('recommendations', 'gold', recommendationsPath(useCase)),
          named('removals', 'gold', removalsPath(useCase)),
        ]
      : []),
    named('drift', 'gold', driftPath(useCase)),
    ...(taskOf(declaration) === 'binary' ? [named('confusion', 'gold', confusionPath(useCase))] : []),
  ];
}
