"""Write what a run leaves behind: history, members, analysis, balance, restarts, scores."""
