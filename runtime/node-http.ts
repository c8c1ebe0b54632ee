/**
 * What this program uses of node:http. An `import` of it reads every export once, WebSocket among them, and Node then
 * loads undici for a class that nobody here needs: 12 MB and a fiftieth of a second at each start.
 */
export const { createServer, request, Agent } = process.getBuiltinModule('node:http');
