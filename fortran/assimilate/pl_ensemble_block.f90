!> A few state elements with all their members, split into mean and anomalies and joined again.
!>
!> A block holds one state element per lane, so that every loop over lanes is one vector instruction, and an element's
!> result depends on nothing but its own members: neither on its neighbours nor on where the state is cut.
module pl_ensemble_block
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: vector_lanes
   implicit none (type, external)
   private
   public :: join_block, multiply_add, multiply_add_transposed, relax_to_prior, rotate_block, split_block

contains

   !> Mean, sum of squares and inflated anomalies of each lane.
   pure subroutine split_block(nmember, inflation, block, mean, square)
      integer, intent(in) :: nmember                          !! members [1]
      real(rk), intent(in) :: inflation                       !! factor on the anomalies [1]
      real(rk), intent(inout) :: block(vector_lanes, nmember) !! members in, inflated anomalies out [unit of the state]
      real(rk), intent(out) :: mean(vector_lanes)             !! ensemble mean [unit of the state]
      real(rk), intent(out) :: square(vector_lanes)           !! sum of squared prior anomalies [unit squared]
      real(rk) :: first(vector_lanes)
      integer :: i, k
      first = block(:, 1)
      mean = 0.0_rk
      do k = 2, nmember
         !$omp simd
         do i = 1, vector_lanes
            mean(i) = mean(i) + (block(i, k) - first(i))
         end do
      end do
      mean = first + mean/real(nmember, rk) ! exact where all members are equal
      square = 0.0_rk
      do k = 1, nmember
         !$omp simd
         do i = 1, vector_lanes
            block(i, k) = block(i, k) - mean(i)
            square(i) = square(i) + block(i, k)*block(i, k)
            block(i, k) = inflation*block(i, k)
         end do
      end do
   end subroutine split_block

   !> Members from updated deviations, with relaxation to the prior spread.
   !>
   !> Whitaker and Hamill (2012), Mon. Weather Rev. 140, 3078-3089, eq. 2; the prior spread is that before inflation.
   pure subroutine join_block(nmember, relaxation, mean, square, block)
      integer, intent(in) :: nmember                          !! members [1]
      real(rk), intent(in) :: relaxation                      !! 0: none, 1: the spread stays that of the prior [1]
      real(rk), intent(in) :: mean(vector_lanes)              !! prior mean [unit of the state]
      real(rk), intent(in) :: square(vector_lanes)            !! sum of squared prior anomalies [unit squared]
      real(rk), intent(inout) :: block(vector_lanes, nmember) !! deviations from the prior mean in, members out [unit]
      real(rk) :: factor(vector_lanes), shift(vector_lanes), updated(vector_lanes)
      integer :: i, k
      shift = mean_over_members(nmember, block)
      if (relaxation > 0.0_rk) then
         updated = 0.0_rk
         do k = 1, nmember
            !$omp simd
            do i = 1, vector_lanes
               updated(i) = updated(i) + (block(i, k) - shift(i))**2
            end do
         end do
         do i = 1, vector_lanes
            factor(i) = 1.0_rk
            if (updated(i) > tiny(1.0_rk)) factor(i) = 1.0_rk + relaxation*(sqrt(square(i))/sqrt(updated(i)) - 1.0_rk)
         end do
         do k = 1, nmember
            !$omp simd
            do i = 1, vector_lanes
               block(i, k) = shift(i) + factor(i)*(block(i, k) - shift(i))
            end do
         end do
      end if
      do k = 1, nmember
         !$omp simd
         do i = 1, vector_lanes
            block(i, k) = mean(i) + block(i, k)
         end do
      end do
   end subroutine join_block

   !> Relaxation of the analysis anomalies to the prior ones: Zhang, Snyder and Sun (2004), Mon. Weather Rev. 132,
   !> 1238-1253, eq. 5; the prior anomalies are those before inflation.
   pure subroutine relax_to_prior(nmember, relaxation, prior, block)
      integer, intent(in) :: nmember                          !! members [1]
      real(rk), intent(in) :: relaxation                      !! 0: none, 1: prior anomalies about the new mean [1]
      real(rk), intent(in) :: prior(vector_lanes, nmember)    !! prior anomalies [unit of the state]
      real(rk), intent(inout) :: block(vector_lanes, nmember) !! deviations from the prior mean [unit of the state]
      real(rk) :: shift(vector_lanes)
      integer :: k
      shift = mean_over_members(nmember, block)
      do k = 1, nmember
         block(:, k) = shift + (1.0_rk - relaxation)*(block(:, k) - shift) + relaxation*prior(:, k)
      end do
   end subroutine relax_to_prior

   !> Mix the anomalies of the members by a matrix that keeps their mean and covariance.
   pure subroutine rotate_block(nmember, rotation, block)
      integer, intent(in) :: nmember                          !! members [1]
      real(rk), intent(in) :: rotation(nmember, nmember)      !! orthogonal, rows and columns sum to 1 [1]
      real(rk), intent(inout) :: block(vector_lanes, nmember) !! deviations from the prior mean [unit of the state]
      real(rk) :: shift(vector_lanes), turned(vector_lanes, nmember)
      integer :: k
      shift = mean_over_members(nmember, block)
      do k = 1, nmember
         block(:, k) = block(:, k) - shift
         turned(:, k) = shift
      end do
      call multiply_add(nmember, nmember, block, rotation, turned)
      block = turned
   end subroutine rotate_block

   !> Mean over the members, lane by lane.
   pure function mean_over_members(nmember, block) result(mean)
      integer, intent(in) :: nmember                       !! members [1]
      real(rk), intent(in) :: block(vector_lanes, nmember) !! any unit
      real(rk) :: mean(vector_lanes)                       !! as block
      integer :: i, k
      mean = 0.0_rk
      do k = 1, nmember
         !$omp simd
         do i = 1, vector_lanes
            mean(i) = mean(i) + block(i, k)
         end do
      end do
      mean = mean/real(nmember, rk)
   end function mean_over_members

   !> `y <- y + x A` for a block, four columns at a time.
   pure subroutine multiply_add(nrow, ncol, x, a, y)
      integer, intent(in) :: nrow, ncol                  !! shape of `a` [1]
      real(rk), intent(in) :: x(vector_lanes, nrow)      !! factor [any unit]
      real(rk), intent(in) :: a(nrow, ncol)              !! matrix [1]
      real(rk), intent(inout) :: y(vector_lanes, ncol)   !! sum [any unit]
      real(rk) :: t1(vector_lanes), t2(vector_lanes), t3(vector_lanes), t4(vector_lanes)
      integer :: j, k, lane
      do j = 1, ncol - 3, 4
         t1 = y(:, j)
         t2 = y(:, j + 1)
         t3 = y(:, j + 2)
         t4 = y(:, j + 3)
         do k = 1, nrow
            !$omp simd
            do lane = 1, vector_lanes
               t1(lane) = t1(lane) + x(lane, k)*a(k, j)
               t2(lane) = t2(lane) + x(lane, k)*a(k, j + 1)
               t3(lane) = t3(lane) + x(lane, k)*a(k, j + 2)
               t4(lane) = t4(lane) + x(lane, k)*a(k, j + 3)
            end do
         end do
         y(:, j) = t1
         y(:, j + 1) = t2
         y(:, j + 2) = t3
         y(:, j + 3) = t4
      end do
      do j = ncol - modulo(ncol, 4) + 1, ncol
         t1 = y(:, j)
         do k = 1, nrow
            !$omp simd
            do lane = 1, vector_lanes
               t1(lane) = t1(lane) + x(lane, k)*a(k, j)
            end do
         end do
         y(:, j) = t1
      end do
   end subroutine multiply_add

   !> `y <- y + x A^T` for a block, four columns at a time.
   pure subroutine multiply_add_transposed(nrow, ncol, x, a, y)
      integer, intent(in) :: nrow, ncol                  !! shape of `a` [1]
      real(rk), intent(in) :: x(vector_lanes, ncol)      !! factor [any unit]
      real(rk), intent(in) :: a(nrow, ncol)              !! matrix [1]
      real(rk), intent(inout) :: y(vector_lanes, nrow)   !! sum [any unit]
      real(rk) :: t1(vector_lanes), t2(vector_lanes), t3(vector_lanes), t4(vector_lanes)
      integer :: j, k, lane
      do k = 1, nrow - 3, 4
         t1 = y(:, k)
         t2 = y(:, k + 1)
         t3 = y(:, k + 2)
         t4 = y(:, k + 3)
         do j = 1, ncol
            !$omp simd
            do lane = 1, vector_lanes
               t1(lane) = t1(lane) + x(lane, j)*a(k, j)
               t2(lane) = t2(lane) + x(lane, j)*a(k + 1, j)
               t3(lane) = t3(lane) + x(lane, j)*a(k + 2, j)
               t4(lane) = t4(lane) + x(lane, j)*a(k + 3, j)
            end do
         end do
         y(:, k) = t1
         y(:, k + 1) = t2
         y(:, k + 2) = t3
         y(:, k + 3) = t4
      end do
      do k = nrow - modulo(nrow, 4) + 1, nrow
         t1 = y(:, k)
         do j = 1, ncol
            !$omp simd
            do lane = 1, vector_lanes
               t1(lane) = t1(lane) + x(lane, j)*a(k, j)
            end do
         end do
         y(:, k) = t1
      end do
   end subroutine multiply_add_transposed

end module pl_ensemble_block
