//! Whose post it is: the sender, salespersons, campaigns, number series.
