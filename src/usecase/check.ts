import { conditionFindings } from '../data/condition.ts';
import type { Contract } from '../data/contract/contract.ts';
import { didYouMean } from '../data/nearest.ts';
import type { Finding } from '../data/strict-parse.ts';
import { glmParameters } from '../ml/glm/parameters.ts';
import { boostingParameters, forestParameters } from '../ml/trees/parameters.ts';
import type { Declaration, ModelDeclaration } from './declaration.ts';
import { metricDescriptors, type MetricName } from './metrics.ts';

/** What scoring adds to the feature table's columns; flags may be conditions over these. */
export const scoredColumns = [
  'prediction',
  'adjusted_prediction',
  'category',
  'prediction_lower_bound',
  'prediction_upper_bound',
] as const;

/** The columns that features.sql gives: key, event time, features, carried columns, and the label. */
export function featureTableColumns({ entity, features, label }: Declaration): string[] {
  return [
    ...new Set([
      entity.key,
      entity.eventTime,
      ...features.numeric,
      ...features.categorical,
      ...features.carried,
      label.column,
    ]),
  ];
}

type Contracts = { [source: string]: { contract: Contract } };

/** Where the parts of a declaration, each right by itself, do not fit each other or the contracts. */
export function declarationFindings(declaration: Declaration, contracts: Contracts): Finding[] {
  return [
    ...sourceFindings(declaration, contracts),
    ...profileFindings(declaration, contracts),
    ...featureFindings(declaration),
    ...ratingFindings(declaration),
    ...declaration.models.flatMap(modelFindings),
    ...limitFindings(declaration.gates, ['gates']),
    ...limitFindings(declaration.monitor.performance, ['monitor', 'performance']),
    ...bandFindings(declaration.score),
    ...flagFindings(declaration),
    ...monitorFindings(declaration),
  ];
}

function sourceFindings({ sources }: Declaration, contracts: Contracts): Finding[] {
  return Object.keys(sources)
    .filter((source) => contracts[source].contract.name !== source)
    .map((source) => ({
      path: ['sources', source],
      message: `its contract describes "${contracts[source].contract.name}": the schema object in it must have the source's name`,
    }));
}

function profileFindings({ profiles, sources }: Declaration, contracts: Contracts): Finding[] {
  return Object.entries(profiles).flatMap(([source, { boxPlot, groups }]) => {
    const path = ['profiles', source];
    if (!Object.hasOwn(sources, source))
      return [{ path, message: `there is no such source.${didYouMean(source, Object.keys(sources))}` }];
    const columns = contracts[source].contract.columns.map(({ name }) => name);
    return [
      ...[boxPlot?.value ?? [], boxPlot?.by ?? []]
        .flat()
        .filter((name) => !columns.includes(name))
        .map((name) => ({
          path: [...path, 'boxPlot'],
          message: `the source has no column "${name}".${didYouMean(name, columns)}`,
        })),
      ...Object.entries(groups).flatMap(([group, condition]) =>
        conditionFindings(condition, columns).map((message) => ({ path: [...path, 'groups', group], message })),
      ),
    ];
  });
}

function featureFindings(declaration: Declaration): Finding[] {
  const { features, entity, label } = declaration;
  const modelled = [...features.numeric, ...features.categorical];
  const findings: Finding[] = [];
  if (modelled.length === 0) findings.push({ path: ['features'], message: 'there is no feature' });
  for (const [i, name] of [...modelled, ...features.carried].entries()) {
    const list = i < features.numeric.length ? 'numeric' : i < modelled.length ? 'categorical' : 'carried';
    const path = ['features', list];
    if ([...modelled, ...features.carried].indexOf(name) < i)
      findings.push({ path, message: `"${name}" is named twice` });
    if (name === label.column)
      findings.push({ path, message: `"${name}" is the label: a model that sees it has learnt nothing` });
    if (name === entity.key) findings.push({ path, message: `"${name}" is the entity's key and no feature` });
  }
  return findings;
}

function ratingFindings(declaration: Declaration): Finding[] {
  const known = featureTableColumns(declaration);
  return (declaration.ratingTable ?? [])
    .filter((name) => !known.includes(name) || name === declaration.label.column)
    .map((name) => ({
      path: ['ratingTable'],
      message: `"${name}" is no factor to rate by.${didYouMean(name, known)}`,
    }));
}

const parametersOf = {
  'random-forest': forestParameters,
  'gradient-boosting': boostingParameters,
  glm: glmParameters,
};

function modelFindings({ kind, search }: ModelDeclaration, i: number): Finding[] {
  const known = Object.keys(parametersOf[kind].shape);
  const path = ['models', i, 'search', 'space'];
  return Object.entries(search.space).flatMap(([name, dimension]) => {
    const at = [...path, name];
    if (!known.includes(name))
      return [{ path: at, message: `a ${kind} has no such parameter.${didYouMean(name, known)}` }];
    const [low, high] = 'choice' in dimension ? [0, 0] : Object.values(dimension)[0];
    return low > high ? [{ path: at, message: `its bounds are not in order: ${low} is above ${high}` }] : [];
  });
}

function limitFindings(limits: Partial<Record<string, unknown>>, path: PropertyKey[]): Finding[] {
  return Object.entries(limits).flatMap(([name, limit]) => {
    const descriptor = metricDescriptors[name as MetricName] as { better: string; title: string } | undefined;
    if (descriptor === undefined || limit === undefined) return [];
    const side = descriptor.better === 'higher' ? 'min' : 'max';
    if (Object.hasOwn(limit as object, side)) return [];
    return [
      { path: [...path, name], message: `needs "${side}": of ${descriptor.title} ${descriptor.better} is better` },
    ];
  });
}

function bandFindings({ bands }: Declaration['score']): Finding[] {
  const path = ['score', 'bands'];
  return bands.flatMap(({ name, below }, i) => {
    const findings: Finding[] = [];
    const last = i === bands.length - 1;
    const previous = bands[i - 1]?.below ?? -Infinity;
    if (bands.findIndex((band) => band.name === name) < i)
      findings.push({ path: [...path, i], message: `there are two bands "${name}"` });
    if (last && below !== undefined)
      findings.push({ path: [...path, i], message: 'the last band has no "below": it takes all that is left' });
    if (!last && below === undefined)
      findings.push({ path: [...path, i], message: 'needs "below": only the last band is open' });
    if (below !== undefined && below <= previous) {
      findings.push({ path: [...path, i], message: `bands ascend: ${below} does not lie above ${previous}` });
    }
    return findings;
  });
}

function flagFindings(declaration: Declaration): Finding[] {
  const columns = [...scoredColumns, ...featureTableColumns(declaration)];
  return Object.entries(declaration.score.flags).flatMap(([flag, condition]) => {
    const path = ['score', 'flags', flag];
    const messages = conditionFindings(condition, columns);
    if (columns.includes(flag)) messages.push('there is a column of that name already');
    return messages.map((message) => ({ path, message }));
  });
}

function monitorFindings(declaration: Declaration): Finding[] {
  const { slices, drift } = declaration.monitor;
  const known = featureTableColumns(declaration);
  const unknown = (names: readonly string[], path: PropertyKey[]): Finding[] =>
    names
      .filter((name) => !known.includes(name))
      .map((name) => ({ path, message: `the feature table has no column "${name}".${didYouMean(name, known)}` }));
  const ascending = ({ warn, alert }: { warn: number; alert: number }, path: PropertyKey[]): Finding[] =>
    warn <= alert ? [] : [{ path, message: `"warn" (${warn}) lies above "alert" (${alert})` }];
  return [
    ...unknown(slices, ['monitor', 'slices']),
    ...unknown(drift.demographic.columns, ['monitor', 'drift', 'demographic', 'columns']),
    ...unknown(drift.composite.columns, ['monitor', 'drift', 'composite', 'columns']),
    ...ascending(drift.psi, ['monitor', 'drift', 'psi']),
    ...ascending(drift.composite, ['monitor', 'drift', 'composite']),
  ];
}
