"""The trial's sample service: five releases of a small shop, two good ones, and three to be found out."""
