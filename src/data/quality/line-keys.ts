/** What the keys begin with that stand in for those that a file lacks; the line's number follows. */
export const lineKeyPrefix = (digest: string): string => `${digest.slice(0, 8)}-`;
