import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/**
 * The commit of the code in `directory`, with `+` behind it where files have changed since; `unknown` outside a git
 * checkout.
 */
export async function codeVersion(directory: string): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(
      'git',
      ['describe', '--always', '--abbrev=12', '--exclude=*', '--dirty=+'],
      {
        cwd: directory,
      },
    );
    return stdout.trim();
  } catch {
    return 'unknown';
  }
}
