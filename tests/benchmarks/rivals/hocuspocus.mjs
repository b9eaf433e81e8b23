// Hocuspocus as it comes, on the address it is told.
import { Server } from "@hocuspocus/server";

const server = new Server({ address: process.env.HOST, port: Number(process.env.PORT), quiet: true });
await server.listen();
