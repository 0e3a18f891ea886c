"""Where readings and job output come from: processes, GPUs, files, terminals."""
