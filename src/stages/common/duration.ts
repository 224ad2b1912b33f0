/** The days of a declared duration such as `P30D`. */
export const daysOf = (duration: string): number => Number(/^P(\d+)D$/.exec(duration)?.[1]);
