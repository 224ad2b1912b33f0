/** The file of the runtime's store that says: this state is a demo's, and the next demo may clear it. */
export const demoMark = 'demo.json';
