/** SQL over rows as they were delivered has failed. */
export class SqlOverRowsFailed extends Error {
  override readonly name = 'SqlOverRowsFailed';
}

/**
 * Does work with SQL over rows as they were delivered. Where the engine fails, its words may quote a value (`Could not convert
 * string '…'`) and would end up in histories and logs: only the kind of its error is passed on, as `SqlOverRowsFailed`.
 * Errors that have a name of their own are the product's and pass as they are.
 */
export async function withoutQuoting<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'Error') throw error;
    const kind = /^([A-Z][A-Za-z ]{2,30} Error):/.exec(error.message)?.[1] ?? 'an error that may quote a row';
    throw new SqlOverRowsFailed(
      `The SQL over ${what} failed with ${kind}. Try the rules and the derived columns of its contract on a copy of the file.`,
    );
  }
}
