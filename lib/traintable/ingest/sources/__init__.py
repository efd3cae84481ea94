"""Where rows come from: each source says what is new, and gives it as rows that are held against the contract."""
