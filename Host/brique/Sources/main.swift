import BriqueTool

await BriqueCommand.start()
