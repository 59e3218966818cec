"""Judge a run: skill against observations, closure of the balances, health of the assimilation."""
