/** Gives what `make` makes, and gives it again whenever the name comes again; whoever gets it does not change it. */
export type Remember = <Made>(name: string, make: () => Made) => Made;

/** Makes everything anew. */
export const forgetful: Remember = (_, make) => make();

/** Keeps everything for as long as it is itself kept. A name stands for one kind of thing. */
export function memory(): Remember {
  const kept = new Map<string, unknown>();
  return <Made>(name: string, make: () => Made): Made => {
    if (!kept.has(name)) kept.set(name, make());
    return kept.get(name) as Made;
  };
}
