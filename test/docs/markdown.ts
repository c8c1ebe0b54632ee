/** The cells of every row of every table, without the lines that only rule. */
export function tableRows(markdown: string): string[][] {
  return outsideOfFences(markdown)
    .filter((line) => line.startsWith('|') && !/^[|\s:-]+$/.test(line))
    .map((line) =>
      line
        .split(/(?<!\\)\|/)
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('\\|', '|')),
    );
}

/** The texts of the fenced blocks of one language. */
export function fencedBlocks(markdown: string, language: string): string[] {
  return [...markdown.matchAll(/^ *```(\w*)\n(.*?)^ *```$/gms)].flatMap(([, name, text]) =>
    name === language && text !== undefined ? [text] : [],
  );
}

/** The targets of all links that lead within the repository, without their anchors' signs. */
export function relativeLinks(markdown: string): string[] {
  const text = outsideOfFences(markdown).join('\n');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)]
    .flatMap(([, target]) => target ?? [])
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** What stands between backticks within lines of text. */
export function codeSpans(markdown: string): string[] {
  return [
    ...outsideOfFences(markdown)
      .join('\n')
      .matchAll(/`([^`\n]+)`/g),
  ].flatMap(([, code]) => code ?? []);
}

/** The anchors that a page's headings have on the forges. */
export function anchorsOf(markdown: string): string[] {
  return outsideOfFences(markdown)
    .filter((line) => /^#+ /.test(line))
    .map((line) =>
      line
        .replace(/^#+ /, '')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    );
}

function outsideOfFences(markdown: string): string[] {
  return markdown.replaceAll(/^ *```.*?^ *```$/gms, '').split('\n');
}
