!> Copy chunks of columns out of fields (ncolumn, n): contiguous runs, which a vector subscript would gather one by one.
module pl_chunk_load
   use pl_chunk, only: first_column, last_column, w => chunk_width
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: load_chunk

contains

   !> Columns of a chunk; lanes beyond the last column repeat it.
   pure subroutine load_chunk(chunk, n, field, lanes)
      integer, intent(in) :: chunk                     !! chunk index, from 1
      integer, intent(in) :: n                         !! layers to copy, from the first of `field` [1]
      real(rk), intent(in), contiguous :: field(:, :)  !! (ncolumn, at least n)
      real(rk), intent(out) :: lanes(w, n)             !! copy
      integer :: count, first, i, k
      first = first_column(chunk)
      count = last_column(chunk, size(field, 1)) - first + 1
      if (count == w) then
         do k = 1, n
            !$omp simd
            do i = 1, w
               lanes(i, k) = field(first + i - 1, k)
            end do
         end do
      else
         do k = 1, n
            do i = 1, w
               lanes(i, k) = field(first + min(i, count) - 1, k)
            end do
         end do
      end if
   end subroutine load_chunk

end module pl_chunk_load
