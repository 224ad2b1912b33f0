import type { Declaration } from './declaration.ts';

/**
 * The declaration as a candidate of that view takes it: the view's columns are features, and no longer carried. Without a view it is the
 * declaration itself.
 */
export function viewed(declaration: Declaration, view: string | undefined): Declaration {
  return view === undefined ? declaration : withFeatures(declaration, [declaration.features.views[view]]);
}

/** With the columns of all views as features: whatever some model may see. */
export function everyView(declaration: Declaration): Declaration {
  return withFeatures(declaration, Object.values(declaration.features.views));
}

/** With those of the views that may be chosen: what is watched of a model in use. */
export function usableViews(declaration: Declaration): Declaration {
  const views = Object.values(declaration.features.views);
  return withFeatures(
    declaration,
    views.filter(({ comparedOnly }) => !comparedOnly),
  );
}

function withFeatures(
  declaration: Declaration,
  views: readonly { numeric: string[]; categorical: string[] }[],
): Declaration {
  const { features } = declaration;
  const added = (kind: 'numeric' | 'categorical') => [
    ...new Set([...features[kind], ...views.flatMap((view) => view[kind])]),
  ];
  const [numeric, categorical] = [added('numeric'), added('categorical')];
  const carried = features.carried.filter((name) => !numeric.includes(name) && !categorical.includes(name));
  return { ...declaration, features: { ...features, numeric, categorical, carried } };
}
