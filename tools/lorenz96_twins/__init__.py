"""Parts of `tools/lorenz96`: the model, twin experiments through GCAS's filters, baselines, the table and the figure."""
