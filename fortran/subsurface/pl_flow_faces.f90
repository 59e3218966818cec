!> Conductances and slopes of the faces between cells, derived once from soil and terrain.
!>
!> Conductivity between cells is the harmonic mean, weighted with the way in each. In layers that follow the terrain
!> lateral flow feels the component of gravity along the layer, sin(atan(slope)), and gradients along the layer, cosine
!> over dx; both are means of the two cells (Maxwell 2013, Adv. Water Resour. 53, 109-117, eqs. 8 and 9).
!> Slopes of the faces of overland flow are given (pyland.subsurface.flow_land).
module pl_flow_faces
   use pl_flow_model, only: flow_model_type
   use pl_flow_overland, only: overland_diffusive, overland_kinematic
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: build_ground_faces, build_overland_faces, order_downstream

contains

   !> Conductances of the ground; conductivities are like head, 0 for cells that do not exist.
   subroutine build_ground_faces(model, conductivity_x, conductivity_y, conductivity_z, barrier_x, barrier_y, barrier_z)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in), dimension(0:, :, 0:) :: conductivity_x, conductivity_y, conductivity_z !! at saturation [m s-1]
      real(rk), intent(in), dimension(0:, :, 0:) :: barrier_x, barrier_y, barrier_z !! factors of faces east, north, below [1]
      real(rk) :: upper, lower
      integer :: i, j, k
      do j = 1, model%ny
         do k = 1, model%nz
            do i = 0, model%nx
               model%kx(i, k, j) = harmonic(conductivity_x(i, k, j), conductivity_x(i + 1, k, j)) &
                                   *model%dz(k)/model%dx*barrier_x(i, k, j)
            end do
         end do
      end do
      do j = 0, model%ny
         do k = 1, model%nz
            do i = 1, model%nx
               model%ky(i, k, j) = harmonic(conductivity_y(i, k, j), conductivity_y(i, k, j + 1)) &
                                   *model%dz(k)/model%dy*barrier_y(i, k, j)
            end do
         end do
      end do
      do j = 1, model%ny
         do k = 1, model%nz - 1
            do i = 1, model%nx
               upper = conductivity_z(i, k, j)
               lower = conductivity_z(i, k + 1, j)
               model%kz(i, k, j) = 0.0_rk
               if (upper > 0.0_rk .and. lower > 0.0_rk) model%kz(i, k, j) = barrier_z(i, k, j) &
                                      /(0.5_rk*(model%dz(k)/upper + model%dz(k + 1)/lower))
            end do
         end do
         model%kz(:, model%nz, j) = 0.0_rk
      end do
      call build_terrain(model)
   end subroutine build_ground_faces

   !> Harmonic mean, 0 if one is 0.
   pure real(rk) function harmonic(one, two)
      real(rk), intent(in) :: one !! not negative
      real(rk), intent(in) :: two !! not negative
      harmonic = 0.0_rk
      if (one > 0.0_rk .and. two > 0.0_rk) harmonic = 2.0_rk/(1.0_rk/one + 1.0_rk/two)
   end function harmonic

   !> Sines and cosines of the layers.
   subroutine build_terrain(model)
      type(flow_model_type), intent(inout) :: model
      integer :: i, j
      model%cos_x = 1.0_rk/model%dx
      model%cos_y = 1.0_rk/model%dy
      model%sin_x = 0.0_rk
      model%sin_y = 0.0_rk
      if (.not. model%options%follows_terrain) return
      do j = 1, model%ny
         do i = 0, model%nx
            model%sin_x(i, j) = 0.5_rk*(sine(model%slope_x(i, j)) + sine(model%slope_x(i + 1, j)))
            model%cos_x(i, j) = 0.5_rk*(cosine(model%slope_x(i, j)) + cosine(model%slope_x(i + 1, j)))/model%dx
         end do
      end do
      do j = 0, model%ny
         do i = 1, model%nx
            model%sin_y(i, j) = 0.5_rk*(sine(model%slope_y(i, j)) + sine(model%slope_y(i, j + 1)))
            model%cos_y(i, j) = 0.5_rk*(cosine(model%slope_y(i, j)) + cosine(model%slope_y(i, j + 1)))/model%dy
         end do
      end do
   end subroutine build_terrain

   !> Sine of the angle of a slope.
   pure real(rk) function sine(slope)
      real(rk), intent(in) :: slope !! [1]
      sine = slope/sqrt(1.0_rk + slope*slope)
   end function sine

   !> Cosine of the angle of a slope.
   pure real(rk) function cosine(slope)
      real(rk), intent(in) :: slope !! [1]
      cosine = 1.0_rk/sqrt(1.0_rk + slope*slope)
   end function cosine

   !> Conveyance of overland flow through faces.
   subroutine build_overland_faces(model, along_x, along_y, manning_x, manning_y)
      type(flow_model_type), intent(inout) :: model
      real(rk), intent(in) :: along_x(0:, :), along_y(:, 0:)     !! slopes along the faces (0:nx, ny), (nx, 0:ny) [1]
      real(rk), intent(in) :: manning_x(0:, :), manning_y(:, 0:) !! (0:nx, ny), (nx, 0:ny) [s m-1/3]
      integer :: i, j
      model%over_x = 0.0_rk
      model%over_y = 0.0_rk
      model%rim_x = 0.0_rk
      model%rim_y = 0.0_rk
      do j = 1, model%ny
         do i = 0, model%nx
            if (model%exists(i, j) + model%exists(i + 1, j) < 0.5_rk) cycle
            model%rim_x(i, j) = 1.0_rk - model%exists(i, j)*model%exists(i + 1, j)
            model%over_x(i, j) = conveyance(model%options%overland, model%bed_x(i, j), along_x(i, j), &
                                            model%options%slope_floor, manning_x(i, j), model%rim_x(i, j), &
                                            model%exists(i, j) < 0.5_rk)/model%dx
         end do
      end do
      do j = 0, model%ny
         do i = 1, model%nx
            if (model%exists(i, j) + model%exists(i, j + 1) < 0.5_rk) cycle
            model%rim_y(i, j) = 1.0_rk - model%exists(i, j)*model%exists(i, j + 1)
            model%over_y(i, j) = conveyance(model%options%overland, model%bed_y(i, j), along_y(i, j), &
                                            model%options%slope_floor, manning_y(i, j), model%rim_y(i, j), &
                                            model%exists(i, j) < 0.5_rk)/model%dy
         end do
      end do
      call build_drain(model)
   end subroutine build_overland_faces

   !> Outflow of ponds over depth**(5/3), down the slopes of the terrain.
   subroutine build_drain(model)
      type(flow_model_type), intent(inout) :: model
      integer :: i, j
      do j = 1, model%ny
         do i = 1, model%nx
            model%drain(i, j) = descent(model%over_x(i, j), model%bed_x(i, j), 1.0_rk) &
                                + descent(model%over_x(i - 1, j), model%bed_x(i - 1, j), -1.0_rk) &
                                + descent(model%over_y(i, j), model%bed_y(i, j), 1.0_rk) &
                                + descent(model%over_y(i, j - 1), model%bed_y(i, j - 1), -1.0_rk)
         end do
      end do
   contains
      !> Share of a face.
      pure real(rk) function descent(over, bed, sign_out)
         real(rk), intent(in) :: over     !! conveyance
         real(rk), intent(in) :: bed      !! slope, positive uphill along the axis [1]
         real(rk), intent(in) :: sign_out !! 1 where the axis leads out of the cell, -1 where it leads in
         real(rk) :: fall
         fall = -sign_out*bed
         descent = 0.0_rk
         if (fall <= 0.0_rk) return
         descent = abs(over)
         if (model%options%overland == overland_diffusive) descent = abs(over)*fall/sqrt(max(fall, model%options%slope_floor))
      end function descent
   end subroutine build_drain

   !> Conveyance of a face: signed with the slope (kinematic) or free of it (diffusive); 0 where a rim would let water in.
   pure real(rk) function conveyance(scheme, normal, along, floor, manning, rim, is_before)
      integer, intent(in) :: scheme       !! pl_flow_overland: overland_*
      real(rk), intent(in) :: normal      !! slope across the face, positive uphill [1]
      real(rk), intent(in) :: along       !! slope along the face [1]
      real(rk), intent(in) :: floor       !! [1]
      real(rk), intent(in) :: manning     !! [s m-1/3]
      real(rk), intent(in) :: rim         !! 1 for faces to the outside
      logical, intent(in) :: is_before    !! the outside lies before the face (west, south)
      logical :: lets_in
      conveyance = 0.0_rk
      lets_in = rim > 0.5_rk .and. merge(-normal >= 0.0_rk, -normal <= 0.0_rk, is_before)
      if (lets_in) return
      if (scheme == overland_kinematic) then
         conveyance = -normal/sqrt(max(sqrt(normal*normal + along*along), floor))/manning
      else if (scheme == overland_diffusive) then
         conveyance = 1.0_rk/manning
      end if
   end function conveyance

   !> Order columns so that each comes after those that flow to it; `forth_*` are positive where faces flow along the axis.
   !>
   !> Kahn's algorithm; where flow runs in a circle, the next column in natural order opens it.
   subroutine order_downstream(nx, ny, forth_x, forth_y, order)
      integer, intent(in) :: nx, ny
      real(rk), intent(in) :: forth_x(0:nx, ny) !! 0: no flow
      real(rk), intent(in) :: forth_y(nx, 0:ny) !! 0: no flow
      integer, intent(out) :: order(2, nx*ny)   !! x and y of the columns
      integer :: waiting(nx, ny), head, i, j, next, tail
      logical :: is_listed(nx, ny)
      do j = 1, ny
         do i = 1, nx
            waiting(i, j) = count([i > 1 .and. forth_x(i - 1, j) > 0.0_rk, i < nx .and. forth_x(i, j) < 0.0_rk, &
                                   j > 1 .and. forth_y(i, j - 1) > 0.0_rk, j < ny .and. forth_y(i, j) < 0.0_rk])
         end do
      end do
      tail = 0
      head = 0
      is_listed = .false.
      do j = 1, ny
         do i = 1, nx
            if (waiting(i, j) == 0) call enlist(i, j)
         end do
      end do
      next = 0
      do while (tail < nx*ny .or. head < tail)
         if (head == tail) then ! only circles are left
            do
               next = next + 1
               i = mod(next - 1, nx) + 1
               j = (next - 1)/nx + 1
               if (.not. is_listed(i, j)) exit
            end do
            call enlist(i, j)
         end if
         head = head + 1
         i = order(1, head)
         j = order(2, head)
         if (i < nx .and. forth_x(i, j) > 0.0_rk) call pass(min(i + 1, nx), j)
         if (i > 1 .and. forth_x(i - 1, j) < 0.0_rk) call pass(max(i - 1, 1), j)
         if (j < ny .and. forth_y(i, j) > 0.0_rk) call pass(i, min(j + 1, ny))
         if (j > 1 .and. forth_y(i, j - 1) < 0.0_rk) call pass(i, max(j - 1, 1))
      end do
   contains
      subroutine enlist(i, j)
         integer, intent(in) :: i, j
         tail = tail + 1
         order(:, tail) = [i, j]
         is_listed(i, j) = .true.
      end subroutine enlist

      subroutine pass(i, j)
         integer, intent(in) :: i, j
         waiting(i, j) = waiting(i, j) - 1
         if (waiting(i, j) == 0 .and. .not. is_listed(i, j)) call enlist(i, j)
      end subroutine pass
   end subroutine order_downstream

end module pl_flow_faces
