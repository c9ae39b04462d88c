"""What the integration and drift tests share."""
