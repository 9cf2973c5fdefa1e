"""Where tasks run: a VPC of two zones, and who may reach the operations pages."""
