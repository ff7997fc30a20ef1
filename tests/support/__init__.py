"""What tests share: uv on a replica of PyTorch's indexes, projects, terminals."""
