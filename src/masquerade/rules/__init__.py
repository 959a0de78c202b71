"""Business rules: what every row has to meet, how users say it, and how drawn rows are made to meet it."""
