"""Error logs of MySQL and MariaDB, and what service managers and kernels say about the server: read into entries."""
