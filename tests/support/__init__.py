"""What several tests share: servers, clients, people, files."""
