/** What the person in front of the screen reads. */
export class Narrator {
  private chapterStartedMs = performance.now();
  private chapter = 0;

  say(...lines: string[]): void {
    for (const line of lines) console.log(line);
  }

  beginChapter(title: string): void {
    this.chapter += 1;
    this.chapterStartedMs = performance.now();
    this.say('', `── ${this.chapter}. ${title} ${'─'.repeat(Math.max(0, 110 - title.length))}`);
  }

  command(words: string): void {
    this.say(`$ ${words}`);
  }

  /** Belongs to the line after it. */
  detail(line: string): void {
    this.say(`${' '.repeat(9)}${line}`);
  }

  /** A line of what happens, with the seconds since the chapter began. */
  tell(line: string): void {
    const seconds = ((performance.now() - this.chapterStartedMs) / 1000).toFixed(1).padStart(5);
    this.say(`${seconds} s  ${line}`);
  }
}
