"""The dashboard on a deployment, in a browser."""
