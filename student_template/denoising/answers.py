# Question 1: Conv2d and ConvTranspose2d. Write sizes as tuples and numbers as integers, or answer in the report.

# [Q1a] A (32, 3, 64, 64) input, Conv2d with 3x3 filters, 16 output channels, stride 1, padding 1: size of the output
q1a = None
# your code here

# [Q1b] A (32, 128, 1, 1) input, ConvTranspose2d with 3x3 filters, 128 output channels, stride 1, padding 0
q1b = None
# your code here

# [Q1c] A (32, 64, 31, 31) input, ConvTranspose2d with 5x5 filters, 32 output channels, stride 2, padding 0
q1c = None
# your code here

# [Q1d] The number of learnable parameters of a Conv2d with 3x3 filters from a (32, 3, 64, 64) input to 16 channels
q1d = None
# your code here
