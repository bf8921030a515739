"""What tests share: engines and processes to run against."""
