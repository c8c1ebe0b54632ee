import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import ts from 'typescript';
import { repository } from '../bed/layout.ts';

/** Every reason that the sources of operator and runtime declare or write, with one place where they do. */
export async function declaredReasons(): Promise<ReadonlyMap<string, string>> {
  const reasons = new Map<string, string>();
  for (const file of await sourceFiles()) {
    const source = ts.createSourceFile(
      file,
      await readFile(join(repository, file), 'utf8'),
      ts.ScriptTarget.Latest,
      true,
    );
    for (const reason of reasonsIn(source)) reasons.set(reason, file);
  }
  return reasons;
}

async function sourceFiles(): Promise<string[]> {
  const folders = ['operator', 'runtime'].map(async (folder) =>
    (await readdir(join(repository, folder), { recursive: true })).map((file) => join(folder, file)),
  );
  return (await Promise.all(folders)).flat().filter((file) => file.endsWith('.ts'));
}

function reasonsIn(node: ts.Node): string[] {
  const children: string[] = [];
  node.forEachChild((child) => {
    children.push(...reasonsIn(child));
  });
  if (ts.isTypeAliasDeclaration(node) && node.name.text.endsWith('Reason')) return literalsOf(node.type);
  if (ts.isPropertyAssignment(node) && node.name.getText() === 'reason') {
    return ts.isStringLiteral(node.initializer) ? [node.initializer.text] : children;
  }
  return children;
}

function literalsOf(type: ts.TypeNode): string[] {
  if (ts.isUnionTypeNode(type)) return type.types.flatMap(literalsOf);
  return ts.isLiteralTypeNode(type) && ts.isStringLiteral(type.literal) ? [type.literal.text] : [];
}
