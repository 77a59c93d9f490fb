// What makes a component of the sample: its entrance, `wasi:cli/run`.
import { main } from "./sample.js";

export const run = {
  async run() {
    try {
      await main();
    } catch (error) {
      // The SDK names an error by the service's code: `AccessDenied`.
      console.error(`${error.name}: ${error.message}`);
      // Becomes the exit code 1; of its own it would print nothing.
      throw error;
    }
  },
};
