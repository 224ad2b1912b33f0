import { conditionFindings } from '../data/condition.ts';
import type { Contract } from '../data/contract/contract.ts';
import { storedType } from '../data/contract/silver.ts';
import { didYouMean } from '../data/nearest.ts';
import type { Finding } from '../data/strict-parse.ts';
import { denseParameters } from '../ml/dense/parameters.ts';
import { glmParameters } from '../ml/glm/parameters.ts';
import { boostingParameters, forestParameters } from '../ml/trees/parameters.ts';
import type { Declaration, ModelDeclaration } from './declaration.ts';
import { bandsOf, labelColumns, labelName, outputNames, taskOf } from './label.ts';
import { recommendFindings } from './recommend.ts';
import { type MetricName, type Task, metricDescriptors, metricsOf } from './metrics.ts';

/** What scoring adds to the feature table's columns; flags may be conditions over these. */
export function scoredColumns(declaration: Declaration): string[] {
  const { interval, reasons } = declaration.score;
  return [
    'prediction',
    'adjusted_prediction',
    'category',
    ...(interval ? ['prediction_lower_bound', 'prediction_upper_bound'] : []),
    ...(reasons > 0 ? ['reasons'] : []),
    ...outputNames(declaration).map(outputColumn),
  ];
}

/** The column of the predictions table that holds one of several outputs; `prediction` is the mean over them. */
export const outputColumn = (output: string) => `prediction_${output}`;

/** The columns of the feature table: key, event time, features, carried columns, and the labels. */
export function featureTableColumns(declaration: Declaration): string[] {
  const { entity, features } = declaration;
  return [
    ...new Set([
      entity.key,
      entity.eventTime,
      ...features.numeric,
      ...features.categorical,
      ...features.carried,
      ...labelColumns(declaration),
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
    ...bucketFindings(declaration, contracts),
    ...viewFindings(declaration),
    ...ratingFindings(declaration),
    ...rulesFindings(declaration),
    ...declaration.models.flatMap(modelFindings),
    ...refitFindings(declaration),
    ...taskFindings(declaration),
    ...limitFindings(declaration.gates, ['gates']),
    ...limitFindings(declaration.monitor.performance, ['monitor', 'performance']),
    ...scoreFindings(declaration),
    ...bandFindings(declaration.score),
    ...flagFindings(declaration),
    ...fairnessFindings(declaration),
    ...(declaration.recommend
      ? recommendFindings(declaration.recommend, {
          sources: Object.keys(declaration.sources),
          outputs: outputNames(declaration),
          columns: featureTableColumns(declaration),
        })
      : []),
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
  const { features, entity } = declaration;
  const labels = labelColumns(declaration);
  const modelled = [...features.numeric, ...features.categorical];
  const findings: Finding[] = [];
  if (modelled.length === 0) findings.push({ path: ['features'], message: 'there is no feature' });
  for (const [i, name] of [...modelled, ...features.carried].entries()) {
    const list = i < features.numeric.length ? 'numeric' : i < modelled.length ? 'categorical' : 'carried';
    const path = ['features', list];
    if ([...modelled, ...features.carried].indexOf(name) < i)
      findings.push({ path, message: `"${name}" is named twice` });
    if (labels.includes(name))
      findings.push({ path, message: `"${name}" is the label: a model that sees it has learnt nothing` });
    if (name === entity.key) findings.push({ path, message: `"${name}" is the entity's key and no feature` });
  }
  return findings;
}

/** The sources are parted by the entity's key: one at least must have it, and all that have it must mean the same by it. */
function bucketFindings({ entity, features }: Declaration, contracts: Contracts): Finding[] {
  if (features.buckets === 1) return [];
  const path = ['features', 'buckets'];
  const types = Object.entries(contracts).flatMap(([source, { contract }]) =>
    contract.columns.filter(({ name }) => name === entity.key).map((column) => [source, storedType(column)] as const),
  );
  if (types.length === 0) {
    return [{ path, message: `no source has the column "${entity.key}" by which it could be parted; leave it out` }];
  }
  const [[first, type]] = types;
  return types
    .filter(([, other]) => other !== type)
    .map(([source, other]) => ({
      path,
      message: `"${entity.key}" is ${type} in ${first} and ${other} in ${source}: rows of one entity would not come together`,
    }));
}

function viewFindings({ features }: Declaration): Finding[] {
  return Object.entries(features.views).flatMap(([view, { numeric, categorical }]) => {
    const path = ['features', 'views', view];
    const names = [...numeric, ...categorical];
    if (names.length === 0) return [{ path, message: 'has no column of its own' }];
    return names.flatMap((name, i) => {
      if (names.indexOf(name) < i) return [{ path, message: `"${name}" is named twice` }];
      if (features.carried.includes(name)) return [];
      return [{ path, message: `"${name}" is no carried column.${didYouMean(name, features.carried)}` }];
    });
  });
}

function ratingFindings(declaration: Declaration): Finding[] {
  const known = featureTableColumns(declaration);
  if (declaration.ratingTable && declaration.label.outputs) {
    return [{ path: ['ratingTable'], message: 'prices one label; several outputs are compared with "rules"' }];
  }
  return (declaration.ratingTable ?? [])
    .filter((name) => !known.includes(name) || labelColumns(declaration).includes(name))
    .map((name) => ({
      path: ['ratingTable'],
      message: `"${name}" is no factor to rate by.${didYouMean(name, known)}`,
    }));
}

function rulesFindings(declaration: Declaration): Finding[] {
  const { rules, ratingTable, features } = declaration;
  if (!rules) return [];
  const path = ['rules'];
  const outputs = labelColumns(declaration).length;
  const unknown = rules.filter((name) => !features.carried.includes(name));
  return [
    ...(ratingTable ? [{ path, message: 'there is a "ratingTable" already: a model has one thing to beat' }] : []),
    ...(rules.length === outputs ? [] : [{ path, message: `names ${rules.length} columns for ${outputs} outputs` }]),
    ...unknown.map((name) => ({
      path,
      message: `"${name}" is no carried column.${didYouMean(name, features.carried)}`,
    })),
  ];
}

/** What the label is decides what a model, a metric and a score can be. */
function taskFindings(declaration: Declaration): Finding[] {
  const task = taskOf(declaration);
  const { models, gates, monitor } = declaration;
  const known = metricsOf(task);
  const metric = (name: string, path: PropertyKey[]): Finding[] =>
    known.includes(name as MetricName)
      ? []
      : [{ path, message: `"${name}" says nothing about ${labelName(declaration)}: ${taskWords[task]}` }];
  const isDeclared = ([name, limit]: [string, unknown]) => name !== 'beatsChampion' && limit !== undefined;
  return [
    ...models.flatMap((model, i) => [
      ...metric(model.search.metric, ['models', i, 'search', 'metric']),
      ...objectiveFindings(model, task).map((message) => ({ path: ['models', i, 'parameters'], message })),
    ]),
    ...Object.entries(gates)
      .filter(isDeclared)
      .flatMap(([name]) => metric(name, ['gates', name])),
    ...metric(gates.beatsChampion.metric, ['gates', 'beatsChampion', 'metric']),
    ...Object.entries(monitor.performance)
      .filter(isDeclared)
      .flatMap(([name]) => metric(name, ['monitor', 'performance', name])),
  ];
}

const taskWords: { [task in Task]: string } = {
  regression: 'it is an amount, judged by r2, mae, rmse, …',
  binary: 'it is an event, judged by roc_auc, log_loss, …',
  ranking: 'it is several amounts, judged by rmse, ndcg_at_5, …',
};

function objectiveFindings({ kind, parameters }: ModelDeclaration, task: Task): string[] {
  if (kind === 'gradient-boosting') {
    const isBinary = parameters.objective === 'binary';
    if (isBinary !== (task === 'binary')) {
      return [`the objective ${parameters.objective} does not fit the label, which is ${taskNouns[task]}`];
    }
  }
  if (kind === 'dense') {
    if (task === 'ranking') return ['a dense network has one output here'];
    if ((parameters.objective === 'binary') !== (task === 'binary')) {
      return [`the objective ${parameters.objective} does not fit the label, which is ${taskNouns[task]}`];
    }
  }
  if (kind === 'glm') {
    if (task === 'ranking') return ['a glm has one output'];
    if ((parameters.family === 'binomial') !== (task === 'binary')) {
      return [`the family ${parameters.family} does not fit the label, which is ${taskNouns[task]}`];
    }
  }
  return [];
}

const taskNouns: { [task in Task]: string } = {
  regression: 'an amount',
  binary: 'an event',
  ranking: 'several amounts',
};

/** Bands or a decision; intervals around amounts only. */
function scoreFindings(declaration: Declaration): Finding[] {
  const { bands, decision, interval, reasons } = declaration.score;
  const path = ['score'];
  const task = taskOf(declaration);
  const findings: Finding[] = [];
  if ((bands === undefined) === (decision === undefined))
    findings.push({ path, message: 'needs "bands" or a "decision"' });
  if (decision && task !== 'binary') {
    findings.push({
      path: [...path, 'decision'],
      message: `costs decide about an event; the label is ${taskNouns[task]}`,
    });
  }
  if (reasons > 0 && task === 'ranking') {
    findings.push({ path: [...path, 'reasons'], message: 'belong to one output; recommendations have their own' });
  }
  if (interval && task !== 'regression') {
    findings.push({ path: [...path, 'interval'], message: `belongs to one amount; the label is ${taskNouns[task]}` });
  }
  return findings;
}

const parametersOf = {
  'random-forest': forestParameters,
  'gradient-boosting': boostingParameters,
  glm: glmParameters,
  dense: denseParameters,
};

function refitFindings({ split, models }: Declaration): Finding[] {
  const stopsEarly = (model: ModelDeclaration) =>
    model.kind === 'gradient-boosting' && model.parameters.earlyStoppingRounds > 0;
  if (!split.refit || models.some(stopsEarly)) return [];
  return [
    { path: ['split', 'refit'], message: 'there is no gradient boosting with "earlyStoppingRounds" to fit again' },
  ];
}

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

function bandFindings(score: Declaration['score']): Finding[] {
  if (!score.bands && !score.decision) return [];
  const bands = bandsOf({ score });
  const path = ['score', score.bands ? 'bands' : 'decision'];
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
  const columns = [...scoredColumns(declaration), ...featureTableColumns(declaration)];
  return Object.entries(declaration.score.flags).flatMap(([flag, condition]) => {
    const path = ['score', 'flags', flag];
    const messages = conditionFindings(condition, columns);
    if (columns.includes(flag)) messages.push('there is a column of that name already');
    return messages.map((message) => ({ path, message }));
  });
}

function fairnessFindings(declaration: Declaration): Finding[] {
  const known = featureTableColumns(declaration);
  return (declaration.fairness?.over ?? [])
    .filter((name) => !known.includes(name))
    .map((name) => ({
      path: ['fairness', 'over'],
      message: `the feature table has no column "${name}".${didYouMean(name, known)}`,
    }));
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
