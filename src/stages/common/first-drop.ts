import type { Ports } from '../../ports/stage-ports.ts';
import { fromJsonBytes, toJsonBytes } from './json.ts';
import { quarantinePath } from './sql.ts';

/** The drop that brought a content first, and the name of its file or manifest. */
export type FirstDrop = { dropId: string; name: string };

type Content = { useCase: string; source: string; digest: string };

/** Notes that this drop is about to bring the content to silver; of several that do so at once, one is the first. */
export async function noteFirstDrop(ports: Ports, content: Content, { dropId, name }: FirstDrop): Promise<void> {
  await ports.bronze.putIfAbsent(noteKey(content), toJsonBytes({ dropId, name }));
}

/** The drop that brought the content to silver first, where that is known. */
export async function firstDropOf(ports: Ports, content: Content): Promise<FirstDrop | undefined> {
  const bytes = await ports.bronze.get(noteKey(content));
  return bytes && fromJsonBytes<FirstDrop>(bytes, `bronze/${noteKey(content)}`);
}

const noteKey = ({ useCase, source, digest }: Content) => `${quarantinePath(useCase, source)}-contents/${digest}.json`;
