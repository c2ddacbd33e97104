# A folder is put into a bucket and got back; prints all that it is told.
set -e
aws="$1 --endpoint-url $2"
$aws s3 mb s3://photos
echo woof > dog.txt
$aws s3 cp dog.txt s3://photos/dog.txt --no-progress
$aws s3 ls s3://photos
$aws s3 cp s3://photos/dog.txt -
