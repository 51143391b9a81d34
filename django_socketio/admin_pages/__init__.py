"""The admin's pages: what they show (live, history, charts), what they do, and the live feed."""
